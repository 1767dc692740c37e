"""What the log and the archive hold of one symbol and timeframe, newest first."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from shared.bus.connection import execute
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.topics import Topic
from shared.events import CandleClosed, Event, LevelComputed
from shared.events.base import micros
from shared.events.codec import RawEntry, decode
from shared.market.timeframes import Timeframe

_PAGE = 1_000
# The longest month: what of the next one is read with it is left out by its time.
_MONTH_US = 31 * 86_400_000_000
# Entries of other symbols and timeframes stand between: a bound on what one question may cost.
_READINGS_MAX = 20_000
_CANDLES_MAX = 100_000

Chart = tuple[str, Timeframe]


class Past:
    """Candles and readings that have been published, read backwards: as far as the log is looked
    through, and then in the archive, where there is one."""

    def __init__(self, log: RedisLog, folder: Path | None = None) -> None:
        self.log = log
        self._folder = folder

    async def readings(
        self, chart: Chart, before: int | None = None
    ) -> AsyncIterator[LevelComputed]:
        """Published readings of candles that ended before a time, newest first.

        Raises:
            RedisError: the log is away.
        """
        async for event in self._back("level_computed", chart, _READINGS_MAX):
            if isinstance(event, LevelComputed) and (before is None or event.at < before):
                before = event.at
                yield event
        async for event in self._stored("level_computed", chart, before):
            if isinstance(event, LevelComputed):
                yield event

    async def candles(self, chart: Chart, count: int) -> list[CandleClosed]:
        """The last closed candles, oldest first, without a step back in time.

        Raises:
            RedisError: the log is away.
        """
        found: list[CandleClosed] = []
        async for event in self._back("candle_closed", chart, _CANDLES_MAX):
            if isinstance(event, CandleClosed) and (not found or event.at < found[-1].at):
                found.append(event)
            if len(found) == count:
                return found[::-1]
        async for event in self._stored("candle_closed", chart, found[-1].at if found else None):
            if isinstance(event, CandleClosed):
                found.append(event)
            if len(found) == count:
                break
        return found[::-1]

    async def _stored(self, topic: Topic, chart: Chart, before: int | None) -> AsyncIterator[Event]:
        """What was recorded before a time, month by month."""
        if self._folder is None or not self._folder.is_dir() or find_spec("polars") is None:
            return
        # Columns take 60 MB, which a worker that nobody asks for history need not hold.
        import polars as pl

        from shared.archive.columns import entries
        from shared.archive.reader import Archive

        archive = Archive.at(self._folder, self.log.keys, None)
        symbol, timeframe = chart
        for month in sorted(archive.shelf.months(topic), reverse=True):
            first = micros(datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC))
            last = first + _MONTH_US if before is None else min(first + _MONTH_US, before)
            if last <= first:
                continue
            meant = pl.col("timeframe") == timeframe
            rows = await archive.table(topic, symbol, (first, last), meant)
            for _, event in decode(entries(rows.sort("at", descending=True))):
                if isinstance(event, Event) and (before is None or event.at < before):
                    before = event.at
                    yield event

    async def _back(self, topic: Topic, chart: Chart, looks: int) -> AsyncIterator[Event]:
        symbol, timeframe = chart
        key = self.log.keys.topic(partition_of(symbol, self.log.partitions), topic)
        last = "+"
        for _ in range(0, looks, _PAGE):
            page: list[RawEntry] = await execute(
                self.log.redis, "XREVRANGE", key, last, "-", "COUNT", _PAGE
            )
            ours = [entry for entry in page if _is_of(entry, symbol, timeframe)]
            for _, event in decode(ours):
                if isinstance(event, Event):
                    yield event
            if len(page) < _PAGE:
                return
            last = f"({page[-1][0]}"


def _is_of(entry: RawEntry, symbol: str, timeframe: Timeframe) -> bool:
    """By its fields as text: most entries are another's and need not be decoded."""
    fields = entry[1]
    named = dict(zip(fields[4:16:2], fields[5:16:2], strict=False))
    return named.get("symbol") == symbol and named.get("timeframe") == timeframe
