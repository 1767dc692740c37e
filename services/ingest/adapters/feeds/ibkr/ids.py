"""Client ids: TWS takes each once, so replicas lease theirs in the log's server."""

from redis.asyncio import Redis

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_scripts import Script
from shared.clock import nonce

# Renewed several times while it lasts; TWS refuses an id twice whatever we believe.
LEASE_MS = 30_000


class ClientIds:
    """Leases one of a range of numbers at a time."""

    def __init__(self, redis: Redis, keys: Keys, first: int, last: int) -> None:
        self._redis = redis
        self._keys = keys
        self._range = range(first, last + 1)
        self._holder = nonce()
        self._keep = Script.load("keep")
        self.held: int | None = None

    async def take(self, tried: frozenset[int] = frozenset()) -> int | None:
        """Lease a number that nobody has, of those not tried yet; None if there is none.

        Raises:
            RedisError, OSError: the log is away.
        """
        for number in self._range:
            if number in tried:
                continue
            key = self._keys.client_id("ibkr", number)
            taken = await execute(self._redis, "SET", key, self._holder, "NX", "PX", LEASE_MS)
            if taken:
                self.held = number
                return number
        return None

    async def renew(self) -> bool:
        """Keep the number; False if another replica has it by now.

        Raises:
            RedisError, OSError: the log is away.
        """
        return await self._change(LEASE_MS)

    async def give_back(self) -> None:
        """Let others have the number.

        Raises:
            RedisError, OSError: the log is away; it is free once the lease has run out.
        """
        await self._change(0)
        self.held = None

    async def _change(self, ttl_ms: int) -> bool:
        if self.held is None:
            return False
        key = self._keys.client_id("ibkr", self.held)
        return bool(await self._keep.run(self._redis, [key], [self._holder, ttl_ms]))
