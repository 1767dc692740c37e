"""Holding a writer back while our own stages are behind."""

import asyncio
from typing import NoReturn

import structlog
from redis.exceptions import RedisError

from shared.bus.redis_reads import RedisReads
from shared.bus.retention import readers
from shared.bus.topics import Topic

log = structlog.get_logger(__name__)

# A fifth of a second at a hundred thousand entries a second: deep enough to keep every stage busy.
BEHIND_MAX = 20_000
_LOOK_S = 0.1


class Backpressure:
    """Knows how far the slowest stage is behind a topic, partition by partition."""

    def __init__(self, reads: RedisReads, topic: Topic, behind_max: int = BEHIND_MAX) -> None:
        self.partitions = reads.partitions
        self._reads = reads
        self._topic = topic
        self._behind_max = behind_max
        self._behind = [0] * reads.partitions
        self._looked = asyncio.Event()

    async def run(self) -> NoReturn:
        """Keep looking."""
        while True:
            try:
                await self._look()
            except RedisError as error:
                log.warning("backpressure_waits", reason=str(error))
            await asyncio.sleep(_LOOK_S)

    async def room(self, partition: int) -> None:
        """Return once the slowest stage of a partition is near enough."""
        while self._behind[partition] > self._behind_max:
            self._looked.clear()
            await self._looked.wait()

    async def _look(self) -> None:
        behind = [0] * self._reads.partitions
        for stage in readers(self._topic):
            rows = (await self._reads.lag(stage))[self._topic]
            behind = [max(most, row.behind) for most, row in zip(behind, rows, strict=True)]
        self._behind = behind
        self._looked.set()
