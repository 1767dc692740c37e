"""The Redis that somebody gave us: can it carry the log?"""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.bus.connection import ServerFacts, complaint, connect, masked, server_facts
from shared.bus.keys import Keys
from tideline.trouble import MISUSED, Trouble


def connected(url: str) -> Redis:
    """A client of the server.

    Raises:
        Trouble: the address is none.
    """
    try:
        return connect(url)
    except ValueError as error:
        raise Trouble(
            "REDIS_URL must be redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///PATH, "
            f"not {masked(url)!r}",
            MISUSED,
        ) from error


async def inspected(url: str) -> ServerFacts:
    """What a server is.

    Raises:
        Trouble: the address is none.
        BusError: the server cannot be reached or refuses us.
    """
    redis = connected(url)
    try:
        return await server_facts(redis, url)
    finally:
        await redis.aclose()


async def insist_usable(url: str) -> ServerFacts:
    """What a server is, that can carry the log.

    Raises:
        Trouble: the address is none, or the server cannot carry the log.
        BusError: the server cannot be reached or refuses us.
    """
    facts = await inspected(url)
    reason = complaint(facts)
    if reason is not None:
        raise Trouble(f"{reason} (REDIS_URL is {masked(url)})")
    return facts


def warnings(facts: ServerFacts) -> list[str]:
    """What a server can do without, but its users should know."""
    if facts.appendonly:
        return []
    return [
        f"{facts.name} does not append to a file, so a restart of it loses events; "
        "run CONFIG SET appendonly yes"
    ]


async def answers(redis: Redis) -> bool:
    """Whether a server is there and has loaded its data."""
    try:
        await redis.ping()
    except (RedisError, OSError):
        return False
    return True


async def remove_namespace(redis: Redis, keys: Keys) -> None:
    """Take everything of one namespace away."""
    async for key in redis.scan_iter(match=f"{keys.namespace}:*", count=1000):
        await redis.unlink(key)
