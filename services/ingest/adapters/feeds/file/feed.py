"""A recording as a feed: at its own pace, faster, or as fast as it can be taken."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import structlog

from services.ingest.adapters.feeds.base import FeedError
from services.ingest.adapters.feeds.file.reading import Defaults, read
from services.ingest.adapters.feeds.pace import Pace, Paces
from services.ingest.domain.instruments import InstrumentTable, UnknownSymbol
from services.ingest.domain.items import (
    Cursors,
    FeedCandle,
    FeedRejected,
    FeedTick,
    FeedTime,
    Item,
    Resume,
)
from services.ingest.domain.sessions import SessionCalendar, window
from shared.clock import Clock
from shared.events.base import MICROS_PER_MINUTE
from shared.events.spine import PARTITION_SYMBOL
from shared.market.timeframes import LENGTH_US, Timeframe

log = structlog.get_logger(__name__)

# The provider whose names of instruments a recording may use.
_PROVIDER = "file"
_BATCH = 500
# Rows turned into items at a time; the others stay in columns, which are ten times smaller.
_SLICE = 5_000
# While a recording waits for its own pace: smooth to the eye, and soon enough on a cancel.
_STEP_S = 0.05
_LONGEST_WAIT_S = 1.0
# Beyond the end of any session that is open at the last row, and its grace.
_AFTERMATH_US = LENGTH_US["1d"] + LENGTH_US["1h"]


@dataclass(frozen=True, slots=True)
class Playing:
    """Not as fast as possible but ``speed`` times faster than life, from where it began."""

    paces: Paces
    speed: float


@dataclass(frozen=True, slots=True)
class _Recording:
    """A whole file: its rows by ``order``, the minutes they fall into, and what file it is."""

    rows: pl.DataFrame
    minutes: tuple[int, ...]
    identity: str

    @property
    def first(self) -> int:
        return int(self.rows["order"][0])

    @property
    def last(self) -> int:
        return int(self.rows["order"][-1])


class FileFeed:
    """Plays one file.

    Rows stand in time order over all symbols, candles by their end; what is bad is handed over as
    a rejection that names its row. Every partition is told the same times, the end of each minute
    in which some row lies, so that all close their candles and the same file makes the same spines
    at any speed.
    """

    def __init__(
        self,
        path: Path,
        table: InstrumentTable,
        clock: Clock,
        playing: Playing | None = None,
        defaults: Defaults = Defaults(),  # noqa: B008 - frozen
    ) -> None:
        self.name = path.name.split(".")[0]
        self._path = path
        self._table = table
        self._clock = clock
        self._playing = playing
        self._defaults = defaults
        self._reading: asyncio.Task[_Recording] | None = None
        self._calendars: dict[str, SessionCalendar] = {}

    async def identity(self) -> str:
        return (await self._recording()).identity

    async def symbols(self) -> Sequence[str]:
        rows = (await self._recording()).rows
        return sorted(rows["symbol"].drop_nulls().unique().to_list())

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        recording = await self._recording()
        pace = await self._pace(recording)
        resume = Resume(cursors)
        batch: list[Item] = []
        for due, item in self._items(recording, symbols):
            if item is None:
                # Long stretches that were handed over before must not hold up the others.
                await asyncio.sleep(0)
                continue
            if not (isinstance(item, FeedTime) or resume.is_new(item.symbol, item.at)):
                continue
            while pace is not None and (wait_s := pace.wait_s(due, self._clock.now())) > 0:
                if batch:
                    yield batch
                    batch = []
                await asyncio.sleep(min(max(wait_s, _STEP_S), _LONGEST_WAIT_S))
            batch.append(item)
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        yield [*batch, FeedTime(recording.last + _AFTERMATH_US)]
        if PARTITION_SYMBOL in symbols:
            self._tell(recording)

    async def _recording(self) -> _Recording:
        """The file, read once for all partitions."""
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(self._read))
        return await asyncio.shield(self._reading)

    async def _pace(self, recording: _Recording) -> Pace | None:
        if self._playing is None:
            return None
        return await self._playing.paces.of(
            recording.identity, recording.first, self._playing.speed
        )

    def _read(self) -> _Recording:
        rows = read(self._path, self._defaults)
        rows = rows.with_columns(pl.col("symbol").replace(self._table.named(_PROVIDER)))
        self._check_symbols(rows)
        # A row without a time keeps its place behind the row before it.
        known = pl.col("at").fill_null(strategy="forward").fill_null(strategy="backward")
        end = known + _length() if "timeframe" in rows.columns else known
        rows = rows.with_columns(end.fill_null(0).alias("order")).sort("order", maintain_order=True)
        minutes = -(-rows["order"] // MICROS_PER_MINUTE) * MICROS_PER_MINUTE
        return _Recording(rows, tuple(minutes.unique().sort().to_list()), self._identity())

    def _identity(self) -> str:
        digest = 0
        with self._path.open("rb") as file:
            while block := file.read(1 << 20):
                digest = zlib.crc32(block, digest)
        return f"{_PROVIDER}:{self._path.name}:{digest:08x}"

    def _check_symbols(self, rows: pl.DataFrame) -> None:
        for symbol in rows["symbol"].drop_nulls().unique().sort().to_list():
            try:
                self._table.get(symbol)
            except UnknownSymbol as unknown:
                row = rows.filter(pl.col("symbol") == symbol)["row"][0]
                raise FeedError(f"{self._path}, row {row}: {unknown}") from None

    def _tell(self, recording: _Recording) -> None:
        faults = recording.rows["fault"].drop_nulls()
        log.info(
            "file_played",
            file=self._path.name,
            rows=recording.rows.height,
            bad_rows=len(faults),
        )

    def _items(
        self, recording: _Recording, symbols: Sequence[str]
    ) -> Iterator[tuple[int, Item | None]]:
        """The items of some symbols with the market time at which each is due.

        None after every slice of rows, for the caller to catch breath.
        """
        mine = pl.col("symbol").fill_null(PARTITION_SYMBOL).is_in(list(symbols))
        minutes = iter(recording.minutes)
        told = next(minutes, None)
        for part in recording.rows.filter(mine).iter_slices(_SLICE):
            for row in part.iter_rows(named=True):
                order = row["order"]
                while told is not None and told < order:
                    yield told, FeedTime(told)
                    told = next(minutes, None)
                yield order, self._item(row)
            yield 0, None
        while told is not None:
            yield told, FeedTime(told)
            told = next(minutes, None)

    def _item(self, row: dict[str, Any]) -> Item:
        symbol = PARTITION_SYMBOL if row["symbol"] is None else row["symbol"]
        if row["fault"] is not None:
            reason = f"{self._path.name}, row {row['row']}: {row['fault']}"
            return FeedRejected(symbol, row["order"], reason, ("row", row["raw"]))
        if "timeframe" in row:
            return self._candle(row)
        return FeedTick(symbol, row["at"], row["price"], row["size"], self.name)

    def _candle(self, row: dict[str, Any]) -> FeedCandle:
        symbol, open_at = row["symbol"], row["at"]
        return FeedCandle(
            symbol=symbol,
            timeframe=row["timeframe"],
            open_at=open_at,
            at=self._end(symbol, row["timeframe"], open_at),
            open=row["open"],
            high=row["high"],
            low=row["low"],
            close=row["close"],
            volume=row["volume"],
            source=self.name,
            origin="live",
        )

    def _end(self, symbol: str, timeframe: Timeframe, open_at: int) -> int:
        """Where the candle's window ends: earlier than its length if its session does."""
        calendar = self._calendars.setdefault(
            symbol, SessionCalendar(self._table.get(symbol).session)
        )
        span = calendar.at(open_at)
        window_open, end = (0, 0) if span is None else window(timeframe, open_at, span)
        return end if window_open == open_at else open_at + LENGTH_US[timeframe]


def _length() -> pl.Expr:
    return pl.col("timeframe").replace_strict(LENGTH_US, default=0, return_dtype=pl.Int64)
