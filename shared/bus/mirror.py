"""Stages' progress where Redis' own tools look for it: consumer groups with nothing pending."""

from collections.abc import Sequence

from redis.asyncio import Redis

from shared.bus.keys import Keys
from shared.bus.redis_scripts import Call, Script
from shared.bus.topics import STAGE_INPUTS, StageName
from shared.bus.trimming import Loss


class Mirror:
    """Sets the groups of one namespace's stages; nobody ever reads through them."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._script = Script.load("places", "mirror")

    async def show(self, stage: StageName, partitions: Sequence[int]) -> list[Loss]:
        """Let ``XINFO GROUPS`` show how far the stage's checkpoint is, with the right lag.

        Returns what went before the stage had read it, as far as that was not known yet.

        Raises:
            RedisError: the server did not answer, or refused.
        """
        topics = STAGE_INPUTS[stage]
        calls: list[Call] = [
            (
                [
                    self._keys.checkpoint(partition, stage),
                    self._keys.losses(partition),
                    *(self._keys.topic(partition, topic) for topic in topics),
                ],
                [stage, *topics],
            )
            for partition in partitions
        ]
        replies = await self._script.replies(self._redis, calls) if calls else []
        return [
            Loss(stage, topic, partition, int(lost))
            for partition, reply in zip(partitions, replies, strict=True)
            for topic, lost in zip(topics, reply, strict=True)
            if lost
        ]
