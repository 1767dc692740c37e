"""Entries from outside any stage, each appended once however often it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from shared.bus.keys import Keys
from shared.bus.redis_scripts import Call, Script
from shared.bus.retention import BOUNDS
from shared.bus.topics import Topic
from shared.events.base import Scalar

# Who sends again does so within minutes; what is older is late on its spine anyway.
_WINDOW_MS = 3_600_000
_IDENTITIES = 100_000
# In one run of the script: it holds the server for about a millisecond.
_AT_ONCE = 200


class Full(Exception):
    """A partition's topic takes nothing more until its stage has caught up."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry and the identity by which a repetition is known."""

    identity: str
    fields: Sequence[Scalar]


class OnceAppender:
    """Appends to one topic of a namespace.

    Identities are remembered for an hour, the newest 100,000 of each partition. Entry and identity
    are written in one step: who dies anywhere may send all of it again.
    """

    def __init__(self, redis: Redis, keys: Keys, topic: Topic, room: int | None = None) -> None:
        self._redis = redis
        self._keys = keys
        self._topic: Topic = topic
        # Trimming leaves as many; as many again may wait for their stage.
        self._room = 2 * BOUNDS[topic].entries if room is None else room
        self._script = Script.load("append_once")

    async def append(self, entries: Mapping[int, Sequence[Sent]]) -> dict[int, list[bool]]:
        """Append entries by partition; which of them were new.

        Raises:
            Full: the named partitions have no room. The others' entries are appended: sending
                all again appends only what is missing.
            RedisError: the server did not answer, or refused; the same holds.
        """
        parts = [
            (partition, sent[start : start + _AT_ONCE])
            for partition, sent in entries.items()
            for start in range(0, len(sent), _AT_ONCE)
        ]
        replies = await self._script.replies(self._redis, [self._call(*part) for part in parts])
        news: dict[int, list[bool]] = {}
        full: dict[int, None] = {}
        for (partition, _), reply in zip(parts, replies, strict=True):
            if reply == ["FULL"]:
                full[partition] = None
            else:
                news.setdefault(partition, []).extend(new == 1 for new in reply)
        if full:
            named = ", ".join(map(str, full))
            raise Full(f"{self._topic} of partition {named} is full: its stage is behind")
        return news

    def _call(self, partition: int, sent: Sequence[Sent]) -> Call:
        args: list[Scalar] = [_WINDOW_MS, _IDENTITIES, self._room]
        for one in sent:
            args += (one.identity, len(one.fields), *one.fields)
        keys = [
            self._keys.topic(partition, self._topic),
            self._keys.seen(partition, self._topic),
        ]
        return keys, args
