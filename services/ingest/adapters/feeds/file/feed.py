"""A recording as a feed: at its own pace, faster, or as fast as it can be taken."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import structlog

from services.ingest.adapters.feeds.base import FeedError
from services.ingest.adapters.feeds.file.reading import Defaults, read
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
from shared.events.spine import PARTITION_SYMBOL
from shared.market.timeframes import LENGTH_US, Timeframe

log = structlog.get_logger(__name__)

_BATCH = 500
_STEP_S = 0.05
# Beyond the end of any session that is open at the last row, and its grace.
_AFTERMATH_US = LENGTH_US["1d"] + LENGTH_US["1h"]


class FileFeed:
    """Plays one file.

    Rows stand in time order over all symbols, candles by their end; what is bad is handed over as
    a rejection that names its row. ``speed`` is how many times faster than life, None as fast as
    possible. Every partition sees the same times, so that all close their candles.
    """

    def __init__(
        self,
        path: Path,
        table: InstrumentTable,
        clock: Clock,
        *,
        speed: float | None = None,
        defaults: Defaults = Defaults(),  # noqa: B008 - frozen
    ) -> None:
        self.name = path.name.split(".")[0]
        self._path = path
        self._table = table
        self._clock = clock
        self._speed = speed
        self._defaults = defaults
        self._reading: asyncio.Task[pl.DataFrame] | None = None
        self._began: int | None = None
        self._calendars: dict[str, SessionCalendar] = {}

    async def symbols(self) -> Sequence[str]:
        rows = await self._rows()
        good = rows.filter(pl.col("fault").is_null())
        return sorted(good["symbol"].drop_nulls().unique().to_list())

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        rows = await self._rows()
        resume = Resume(cursors)
        wanted = set(symbols)
        began = self._began = self._clock.now() if self._began is None else self._began
        first = rows["order"][0]
        for part in rows.iter_slices(_BATCH):
            last: int = part["order"][-1]
            await self._until(began, last - first)
            items = [item for item in self._items(part, wanted) if resume.is_new(*item[:2])]
            yield [*items, FeedTime(last)]
            await asyncio.sleep(0)
        yield [FeedTime(rows["order"][-1] + _AFTERMATH_US)]
        bad = rows["fault"].count()
        log.info("file_played", file=self._path.name, rows=rows.height, rejected=bad)

    async def _rows(self) -> pl.DataFrame:
        """The file's rows, read once for all partitions."""
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(self._read))
        return await asyncio.shield(self._reading)

    def _read(self) -> pl.DataFrame:
        rows = read(self._path, self._defaults)
        named = self._table.named(self.name)
        rows = rows.with_columns(pl.col("symbol").replace(named))
        self._check_symbols(rows)
        # A row without a time keeps its place behind the row before it.
        known = pl.col("at").fill_null(strategy="forward").fill_null(strategy="backward")
        end = known + _length() if "timeframe" in rows.columns else known
        return rows.with_columns(end.alias("order")).sort("order", maintain_order=True)

    def _check_symbols(self, rows: pl.DataFrame) -> None:
        for symbol in rows["symbol"].drop_nulls().unique().sort().to_list():
            try:
                self._table.get(symbol)
            except UnknownSymbol as unknown:
                row = rows.filter(pl.col("symbol") == symbol)["row"][0]
                raise FeedError(f"{self._path}, row {row}: {unknown}") from None

    async def _until(self, began: int, played_us: int) -> None:
        while self._speed is not None:
            if (self._clock.now() - began) * self._speed >= played_us:
                return
            await asyncio.sleep(_STEP_S)

    def _items(self, part: pl.DataFrame, wanted: set[str]) -> Iterator[Item]:
        for row in part.iter_rows(named=True):
            symbol = PARTITION_SYMBOL if row["symbol"] is None else row["symbol"]
            if symbol not in wanted:
                continue
            if row["fault"] is not None:
                reason = f"{self._path.name}, row {row['row']}: {row['fault']}"
                yield FeedRejected(symbol, row["order"], reason, ("row", row["raw"]))
            elif "timeframe" in row:
                yield self._candle(row)
            else:
                yield FeedTick(symbol, row["at"], row["price"], row["size"], self.name)

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
