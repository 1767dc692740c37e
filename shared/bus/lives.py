"""Which life each partition lives: another one after a failover took some of its entries back.

For readers outside the partition's slot, whose own place is not rolled back with it.
"""

from redis.asyncio import Redis

from shared.bus.keys import Keys
from shared.bus.log import FIRST_LIFE
from shared.bus.redis_errors import wait_out


class Lives:
    """The incarnations of a namespace's partitions."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = [keys.incarnation(partition) for partition in range(keys.partitions)]

    async def now(self) -> list[str]:
        """Each partition's incarnation; a server that is away is waited for."""
        found = await wait_out(self._ask, "the incarnations")
        return [FIRST_LIFE if life is None else life for life in found]

    async def _ask(self) -> list[str | None]:
        pipe = self._redis.pipeline(transaction=False)
        for key in self._keys:
            pipe.get(key)
        return list(await pipe.execute())
