"""Connections to Redis, and what a server must be like to carry the log."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from shared.bus.keys import Keys
from shared.bus.log import BusError
from shared.bus.packing import pack_in_c

# Functions used: XINFO's entries-read and lag, XGROUP SETID ENTRIESREAD, both from 7.0.
OLDEST_REDIS = (7, 0)
OLDEST_VALKEY = (7, 2)
# Above the longest blocking read, so that only a silent server runs into it.
_SOCKET_TIMEOUT_S = 5.0


def connect(url: str) -> Redis:
    """A client that gives text and leaves stream entries as flat lists, as the server sent them.

    Bytes that are no UTF-8 are replaced, so that a foreign entry can be named and stepped over.
    """
    redis: Redis = Redis.from_url(
        url,
        decode_responses=True,
        encoding_errors="replace",
        protocol=2,
        socket_timeout=_SOCKET_TIMEOUT_S,
    )
    pack_in_c(redis)
    for command in ("XREAD", "XRANGE", "XREVRANGE"):
        redis.set_response_callback(command, cast(Any, _as_sent))
    return redis


async def execute(redis: Redis, *command: str | float) -> Any:
    """Send any command and return its reply, with the client's missing types in one place."""
    return await cast(Any, redis.execute_command)(*command)


def _as_sent(reply: object, **_: object) -> object:
    return reply


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself."""

    name: str
    version: tuple[int, int]
    eviction: str
    appendonly: bool
    role: str


def masked(url: str) -> str:
    """The address without user and password."""
    parts = urlsplit(url)
    host = parts.hostname or parts.path
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


async def server_facts(redis: Redis, url: str) -> ServerFacts:
    """Ask a server what it is.

    Raises:
        BusError: it cannot be reached or refuses us; the message says how to mend it.
    """
    try:
        info = await redis.info()
        try:
            policy = (await redis.config_get("maxmemory-policy")).get("maxmemory-policy", "")
        except ResponseError:  # managed servers hide CONFIG; INFO tells the same
            policy = str(info.get("maxmemory_policy", ""))
    except AuthenticationError as error:
        raise BusError(f"Redis at {masked(url)} refuses the password: {error}") from error
    except (RedisError, OSError) as error:
        raise BusError(
            f"Redis at {masked(url)} cannot be reached ({error}); start it or correct REDIS_URL"
        ) from error
    valkey = "valkey_version" in info
    version = str(info["valkey_version" if valkey else "redis_version"]).split(".")
    return ServerFacts(
        name="Valkey" if valkey else "Redis",
        version=(int(version[0]), int(version[1])),
        eviction=str(policy),
        appendonly=bool(info.get("aof_enabled", 0)),
        role=str(info.get("role", "")),
    )


def complaint(facts: ServerFacts) -> str | None:
    """Why this server cannot carry the log and how to mend it, or None."""
    oldest = OLDEST_VALKEY if facts.name == "Valkey" else OLDEST_REDIS
    if facts.version < oldest:
        found, wanted = (".".join(map(str, one)) for one in (facts.version, oldest))
        return f"{facts.name} {found} is too old; {wanted} or newer is needed"
    if facts.eviction not in {"noeviction", ""}:
        return (
            f"{facts.name} may evict keys (maxmemory-policy {facts.eviction}), which would lose "
            "events; run CONFIG SET maxmemory-policy noeviction"
        )
    if facts.role not in {"master", ""}:
        return f"{facts.name} is a {facts.role}, not a master; point REDIS_URL at the master"
    return None


async def check_namespace(redis: Redis, keys: Keys) -> None:
    """Record the namespace's number of partitions, or insist on the recorded one.

    Raises:
        BusError: the namespace lives with another number of partitions.
    """
    await redis.hsetnx(keys.meta(), "partitions", str(keys.partitions))
    recorded = await execute(redis, "HGET", keys.meta(), "partitions")
    if recorded != str(keys.partitions):
        raise BusError(
            f"namespace {keys.namespace} has {recorded} partitions, not {keys.partitions}; "
            f"set TIDELINE_PARTITIONS={recorded} or choose another TIDELINE_NAMESPACE"
        )
