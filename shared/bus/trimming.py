"""Cutting topics on the server, and who lost something by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_scripts import Call, Script
from shared.bus.retention import BOUNDS, STAGE_OUTPUTS, Bounds, readers
from shared.bus.topics import STAGES, StageName, Topic


@dataclass(frozen=True, slots=True)
class Loss:
    """Entries of one topic and partition that went before a reader had read them."""

    reader: str
    topic: Topic
    partition: int
    entries: int


class Trimmer:
    """Cuts topics of one namespace to their bounds."""

    def __init__(self, redis: Redis, keys: Keys, bounds: Mapping[Topic, Bounds] = BOUNDS) -> None:
        self._redis = redis
        self._keys = keys
        self._bounds = bounds
        self._script = Script.load("places", "trim")

    async def trim(self, stage: StageName, partitions: Sequence[int]) -> list[Loss]:
        """Cut what a stage writes, in these partitions; who lost how much by it.

        Raises:
            RedisError: the server did not answer, or refused.
        """
        seconds, _ = await execute(self._redis, "TIME")
        found = []
        for topic in STAGE_OUTPUTS[stage]:
            replies = await self._cut(topic, partitions, self._bounds[topic], int(seconds))
            found += [
                Loss(reader, topic, partition, lost)
                for partition, (_, *losses) in zip(partitions, replies, strict=True)
                for reader, lost in zip(losses[::2], losses[1::2], strict=True)
            ]
        return found

    async def cut(self, topic: Topic, partitions: Sequence[int], keep: int) -> int:
        """Cut a topic to ``keep`` entries, whatever their age; how many went.

        Raises:
            RedisError: the server did not answer, or refused.
        """
        bounds = Bounds(keep, 0, keep)
        return sum(int(one[0]) for one in await self._cut(topic, partitions, bounds, 0))

    async def _cut(
        self, topic: Topic, partitions: Sequence[int], bounds: Bounds, now_s: int
    ) -> list[Any]:
        oldest_ms = 1000 * max(0, now_s - bounds.age_s)
        calls: list[Call] = [
            (
                [
                    self._keys.topic(partition, topic),
                    self._keys.losses(partition),
                    *(self._keys.checkpoint(partition, stage) for stage in readers(topic)),
                ],
                [topic, bounds.entries, oldest_ms, bounds.held, *STAGES],
            )
            for partition in partitions
        ]
        return await self._script.replies(self._redis, calls)
