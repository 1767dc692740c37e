"""Which life each partition lives: another one after a failover took some of its entries back.

For readers outside the partition's slot, whose own place is not rolled back with it.
"""

from typing import Any

from redis.asyncio import Redis

from shared.bus.keys import Keys
from shared.bus.log import FIRST_LIFE
from shared.bus.redis_errors import wait_out


class Lives:
    """The lives of a namespace's partitions, each told by its incarnation and its server process.

    A stage that has seen what is lost gives the partition a new incarnation. Where nobody but a
    reader outside had seen it, only the server can tell: a replica that was promoted and a server
    that was started again have a run id of their own. A server that lost nothing is then read
    again a little, for nothing.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = [keys.incarnation(partition) for partition in range(keys.partitions)]

    async def now(self) -> list[str]:
        """Each partition's life; a server that is away is waited for."""
        facts, *found = await wait_out(self._ask, "the incarnations")
        lives = (FIRST_LIFE if life is None else life for life in found)
        return [f"{life}@{facts['run_id']}" for life in lives]

    async def _ask(self) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        pipe.info("server")
        for key in self._keys:
            pipe.get(key)
        return list(await pipe.execute())
