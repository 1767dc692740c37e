"""The log as the archive sees it: raw entries of any topic, and where both still agree."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

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

    async def trimmed(self, partition: int, topic: str) -> bool:
        """Whether older entries have been cut off."""
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

    async def trimmed(self, partition: int, topic: str) -> bool:
        key = self._key(partition, topic)
        if key is None or not await wait_out(lambda: execute(self._redis, "EXISTS", key), topic):
            return False
        facts: Any = await wait_out(lambda: self._redis.xinfo_stream(key), topic)
        return int(facts["entries-added"]) > int(facts["length"])

    def _key(self, partition: int, topic: str) -> str | None:
        for known in TOPICS:
            if topic == known:
                return self._keys.topic(partition, known)
        return self._keys.ops() if topic == OPS_TOPIC and partition == 0 else None


def topics_of(partition: int) -> tuple[str, ...]:
    """What is recorded of a partition."""
    return RECORDED if partition == 0 else RECORDED[:-1]


Standing = Literal["here", "gone", "before"]
"""The log has the entry; it has older ones, but not this; it begins after it, or is empty."""


async def standing(
    live: Live, partition: int, topic: str, entry: str, is_it: Callable[[Sequence[str]], bool]
) -> Standing:
    """What the log knows of a recorded entry; ``is_it`` says whether one of its id is the same.

    A rollback takes the newest entries away, so everything before one that is here is here too, or
    was trimmed.
    """
    if entry == START:
        return "here"
    found = await live.entries(partition, topic, before(entry), 1)
    if found and found[0][0] == entry:
        return "here" if is_it(found[0][1]) else "gone"
    first = await live.entries(partition, topic, START, 1)
    is_before = not first or order(first[0][0]) > order(entry)
    return "before" if is_before else "gone"


async def mark_standing(live: Live, partition: int, topic: str, mark: Mark) -> Standing:
    """What the log knows of the entry of a mark; one that was trimmed counts as being here."""
    found = await standing(
        live, partition, topic, mark.entry, lambda one: digest(one) == mark.digest
    )
    is_trimmed = found == "before" and await live.trimmed(partition, topic)
    return "here" if is_trimmed else found


def before(entry: str) -> str:
    """The last id that there can be before an entry's."""
    ms, n = order(entry)
    return f"{ms}-{n - 1}" if n else f"{ms - 1}-{_NUMBER_MAX}" if ms else START
