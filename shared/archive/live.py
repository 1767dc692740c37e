"""The log as the archive sees it: raw entries of any topic, and where both still agree."""

from collections.abc import Callable, Sequence
from typing import Protocol

from redis.asyncio import Redis

from shared.archive.places import Mark, digest
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import START, order
from shared.bus.redis_errors import wait_out
from shared.bus.topics import OPS_TOPIC, TOPICS
from shared.events.codec import RawEntry

# What is recorded; ``ops`` has no partitions and goes with the first.
RECORDED: tuple[str, ...] = (*TOPICS, OPS_TOPIC)
_NUMBER_MAX = 2**64 - 1


class Live(Protocol):
    """Entries that the log still holds."""

    partitions: int

    async def entries(self, partition: int, topic: str, after: str, count: int) -> list[RawEntry]:
        """Up to ``count`` entries after an id, in order."""
        ...


class RedisLive:
    """The log on Redis; a server that is away is waited for."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self.partitions = keys.partitions
        self._redis = redis
        self._keys = keys

    async def entries(self, partition: int, topic: str, after: str, count: int) -> list[RawEntry]:
        key = self._key(partition, topic)
        if key is None:
            return []
        found: list[RawEntry] = await wait_out(
            lambda: execute(self._redis, "XRANGE", key, f"({after}", "+", "COUNT", count),
            f"a read of {topic}",
        )
        return found

    def _key(self, partition: int, topic: str) -> str | None:
        for known in TOPICS:
            if topic == known:
                return self._keys.topic(partition, known)
        return self._keys.ops() if topic == OPS_TOPIC and partition == 0 else None


def topics_of(partition: int) -> tuple[str, ...]:
    """What is recorded of a partition."""
    return RECORDED if partition == 0 else RECORDED[:-1]


async def stands(
    live: Live, partition: int, topic: str, entry: str, is_it: Callable[[Sequence[str]], bool]
) -> bool:
    """Whether the log still holds an entry that was recorded, and ``is_it`` says it is the same.

    A rollback takes the newest entries away, so everything before one that stands does too. One
    that was trimmed stands as well, and so does everything where the log begins anew after it.
    """
    if entry == START:
        return True
    found = await live.entries(partition, topic, _before(entry), 1)
    if found and found[0][0] == entry:
        return is_it(found[0][1])
    first = await live.entries(partition, topic, START, 1)
    return not first or order(first[0][0]) > order(entry)


async def mark_stands(live: Live, partition: int, topic: str, mark: Mark) -> bool:
    """Whether the log still holds the entry of a mark."""
    return await stands(live, partition, topic, mark.entry, lambda one: digest(one) == mark.digest)


def _before(entry: str) -> str:
    ms, n = order(entry)
    return f"{ms}-{n - 1}" if n else f"{ms - 1}-{_NUMBER_MAX}" if ms else START
