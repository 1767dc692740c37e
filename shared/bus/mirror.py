"""Stages' progress where Redis' own tools look for it: consumer groups with nothing pending."""

from collections.abc import Sequence

from redis.asyncio import Redis

from shared.bus.keys import Keys
from shared.bus.redis_scripts import Call, Script
from shared.bus.topics import STAGE_INPUTS, StageName


class Mirror:
    """Sets the groups of one namespace's stages; nobody ever reads through them."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._script = Script.load("mirror")

    async def show(self, stage: StageName, partitions: Sequence[int]) -> None:
        """Let ``XINFO GROUPS`` show how far the stage's checkpoint is, with the right lag.

        Raises:
            RedisError: the server did not answer, or refused.
        """
        topics = STAGE_INPUTS[stage]
        calls: list[Call] = [
            (
                [
                    self._keys.checkpoint(partition, stage),
                    *(self._keys.topic(partition, topic) for topic in topics),
                ],
                [stage, *topics],
            )
            for partition in partitions
        ]
        if calls:
            await self._script.replies(self._redis, calls)
