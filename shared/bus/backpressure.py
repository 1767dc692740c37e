"""Holding a writer back while our own stages are behind."""

import asyncio
from dataclasses import dataclass
from typing import NoReturn

import structlog
from redis.exceptions import RedisError

from shared.bus.redis_reads import RedisReads
from shared.bus.retention import readers
from shared.bus.topics import StageName, Topic

log = structlog.get_logger(__name__)

# Seen ten times a second, so that one partition alone can carry forty thousand entries a second;
# sixteen full partitions are still less than a second's work of the slowest stage.
BEHIND_MAX = 4_000
# The spine is written as fast as it is taken; the other topics fill slowly.
_LOOK_S = 0.1
_LOOK_RARELY_S = 1.0


@dataclass(frozen=True, slots=True)
class Slowest:
    """The stage that is furthest behind in a partition, and since when it has not moved on."""

    stage: StageName
    behind: int
    since: float


class Backpressure:
    """Knows how far the slowest stage is behind a topic, partition by partition.

    Every stage that reads the topic counts, from the very first entry on, whether it ever ran or
    not: what it has not read is kept for it (docs/decisions/0010).
    """

    def __init__(self, reads: RedisReads, topic: Topic, behind_max: int = BEHIND_MAX) -> None:
        self.partitions = reads.partitions
        self.topic = topic
        self._reads = reads
        self._behind_max = behind_max
        self._look_s = _LOOK_S if topic == "tick" else _LOOK_RARELY_S
        self._held: dict[int, Slowest] = {}
        self._looked = asyncio.Event()

    async def run(self) -> NoReturn:
        """Keep looking."""
        while True:
            try:
                await self.look()
            except RedisError as error:
                log.warning("backpressure_waits", topic=self.topic, reason=str(error))
            await asyncio.sleep(self._look_s)

    async def room(self, partition: int) -> None:
        """Return once the slowest stage of a partition is near enough."""
        while partition in self._held:
            self._looked.clear()
            await self._looked.wait()

    def holds(self, partition: int) -> bool:
        """Whether the writer of a partition is to wait."""
        return partition in self._held

    def stuck(self, after_s: float) -> dict[int, Slowest]:
        """Partitions held for a stage that has not moved on for so long."""
        now = asyncio.get_running_loop().time()
        return {at: one for at, one in self._held.items() if now - one.since >= after_s}

    async def look(self) -> None:
        """See how far every stage is.

        Raises:
            RedisError: the server did not answer, or refused.
        """
        now = asyncio.get_running_loop().time()
        held: dict[int, Slowest] = {}
        for stage in readers(self.topic):
            rows = (await self._reads.lag(stage))[self.topic]
            for partition, row in enumerate(rows):
                slowest = held.get(partition)
                if row.behind > (self._behind_max if slowest is None else slowest.behind):
                    held[partition] = self._seen(partition, stage, row.behind, now)
        self._held = held
        self._looked.set()

    def _seen(self, partition: int, stage: StageName, behind: int, now: float) -> Slowest:
        known = self._held.get(partition)
        if known is not None and (known.stage, known.behind) == (stage, behind):
            return known
        return Slowest(stage, behind, now)
