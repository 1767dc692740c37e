"""When the demonstration began: remembered in the log's server, so that a restart goes on."""

from redis.asyncio import Redis

from shared.bus.connection import execute
from shared.bus.keys import Keys


async def anchor(redis: Redis, keys: Keys, seed: int, now: int) -> int:
    """The wall clock (µs) at which this namespace's demo of that seed began: now, if never."""
    field = f"demo:{seed}"
    await execute(redis, "HSETNX", keys.meta(), field, str(now))
    return int(await execute(redis, "HGET", keys.meta(), field))
