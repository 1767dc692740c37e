"""What charts read of the log: the low-rate topics from their start, and the views asked for."""

from collections.abc import Iterable
from typing import Protocol

from shared.bus.lives import Lives
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.tail import Tail, events
from shared.bus.topics import Topic
from shared.events import Event

# In the order of cause, so that a batch holds a signal before the alert that names it.
TOPICS: tuple[Topic, ...] = ("candle_closed", "level_computed", "signal_generated", "alert_fired")
BLOCK_MS = 500


class Reader(Protocol):
    """The market's memory and its present."""

    async def batch(self) -> list[Event]:
        """The next events, each topic and symbol in order; waits a moment, then may be empty."""
        ...

    async def views(self, symbols: Iterable[str]) -> dict[str, str]:
        """What is shown of the forming candles of symbols.

        Raises:
            RedisError, OSError: the log is away.
        """
        ...

    async def pulses(self, symbols: Iterable[str]) -> dict[str, str]:
        """What is shown of the freshness of symbols.

        Raises:
            RedisError, OSError: the log is away.
        """
        ...


class LogReader:
    """Reads the log; entries that are no events are left out, for they are counted elsewhere."""

    def __init__(self, log: RedisLog, reads: RedisReads) -> None:
        self._tail = Tail(log, TOPICS, lives=Lives(log.redis, log.keys))
        self._reads = reads

    async def batch(self) -> list[Event]:
        return events(await self._tail.read(BLOCK_MS))

    async def views(self, symbols: Iterable[str]) -> dict[str, str]:
        return await self._reads.views("candles", symbols)

    async def pulses(self, symbols: Iterable[str]) -> dict[str, str]:
        return await self._reads.views("feed", symbols)
