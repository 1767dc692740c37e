"""A reader that is no stage, following a run from its start to its end through its own proxy."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shared.bus.keys import Keys
from shared.bus.lives import Lives
from shared.bus.redis_log import RedisLog
from shared.bus.tail import Followed, Tail
from shared.bus.tasks import end
from shared.bus.topics import Topic
from shared.events import Event, Watermark

TOPICS: tuple[Topic, ...] = ("candle_closed", "level_computed", "signal_generated", "alert_fired")
_BLOCK_MS = 100
_LOOKS = 3

Name = tuple[Topic, int, str]
"""Topic, partition and event id."""


class Outsider:
    """Reads the low-rate topics as charts do, and counts what it is handed."""

    def __init__(self, door: Path, keys: Keys) -> None:
        self._log = RedisLog(f"unix://{door}", keys)
        self._tail = Tail(self._log, TOPICS, lives=Lives(self._log.redis, keys))
        self._handed: Counter[Name] = Counter()
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Read what is left, then end."""
        await end([self._reading])
        for _ in range(_LOOKS):
            while batch := await self._tail.read(_BLOCK_MS):
                self._take(batch)
        await self._log.close()

    def violations(self, held: Sequence[Mapping[Topic, Sequence[Event]]]) -> Iterator[str]:
        """What it was not handed of what stands, or more than once."""
        standing = {
            (topic, partition, event.id)
            for partition, topics in enumerate(held)
            for topic in TOPICS
            for event in topics[topic]
        }
        if missed := standing - self._handed.keys():
            yield f"a reader outside missed {len(missed)} events: {min(missed)}"
        twice = [name for name, count in self._handed.items() if count > 1]
        if twice:
            yield f"a reader outside was handed {len(twice)} events again: {min(twice)}"

    async def _read(self) -> None:
        async for batch in self._tail:
            self._take(batch)

    def _take(self, batch: Sequence[Followed]) -> None:
        for topic, partition, _, event in batch:
            if isinstance(event, Event) and not isinstance(event, Watermark):
                self._handed[topic, partition, event.id] += 1
