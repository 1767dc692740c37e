"""What the log still holds of one symbol and timeframe, newest first."""

from collections.abc import AsyncIterator

from shared.bus.connection import execute
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.topics import Topic
from shared.events import CandleClosed, Event, LevelComputed
from shared.events.codec import RawEntry, decode
from shared.market.timeframes import Timeframe

_PAGE = 1_000
# Entries of other symbols and timeframes stand between: a bound on what one question may cost.
_READINGS_MAX = 20_000
_CANDLES_MAX = 100_000

Chart = tuple[str, Timeframe]


class Past:
    """Candles and readings that have been published, read backwards."""

    def __init__(self, log: RedisLog) -> None:
        self._log = log

    async def readings(
        self, chart: Chart, before: int | None = None
    ) -> AsyncIterator[LevelComputed]:
        """Published readings of candles that ended before a time, newest first.

        Raises:
            RedisError: the log is away.
        """
        async for event in self._back("level_computed", chart, _READINGS_MAX):
            if isinstance(event, LevelComputed) and (before is None or event.at < before):
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
                break
        return found[::-1]

    async def _back(self, topic: Topic, chart: Chart, looks: int) -> AsyncIterator[Event]:
        symbol, timeframe = chart
        key = self._log.keys.topic(partition_of(symbol, self._log.partitions), topic)
        last = "+"
        for _ in range(0, looks, _PAGE):
            page: list[RawEntry] = await execute(
                self._log.redis, "XREVRANGE", key, last, "-", "COUNT", _PAGE
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
