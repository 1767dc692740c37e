"""Readers that are no stage: consumer groups on our streams, which are waited for up to a limit."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import START, BusError, order
from shared.bus.retention import BOUNDS
from shared.bus.topics import STAGES, TOPICS, Topic

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
FROM_NOW_ON = "$"


@dataclass(frozen=True, slots=True)
class ReaderState:
    """One reader of one topic over all partitions, in entries.

    ``behind`` is kept and not acknowledged yet, ``pending`` of it was handed out. ``lost`` went
    unread since the reader was registered. ``expelled`` are the partitions in which it is further
    behind than readers are waited for.
    """

    reader: str
    topic: Topic
    behind: int
    pending: int
    lost: int
    expelled: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """One group on one stream."""

    reader: str
    partition: int
    behind: int
    pending: int


class Readers:
    """The registered readers of a namespace.

    A reader is a consumer group on every partition's stream of a topic: whoever subscribes with
    FastStream under a group is registered by that, others by ``add``.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def add(self, reader: str, topic: Topic, start: str = START) -> None:
        """Register a reader of a topic, to begin after ``start``: ``$`` is what comes from now on.

        One that is registered already stays where it is.

        Raises:
            BusError: the name is a stage's, or none.
        """
        _insist_on_name(reader)
        for stream in self._streams(topic):
            try:
                await execute(self._redis, "XGROUP", "CREATE", stream, reader, start, "MKSTREAM")
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    async def remove(self, reader: str, topic: Topic) -> bool:
        """Forget a reader of a topic and what it lost; False if there is none.

        Raises:
            BusError: the name is a stage's, or none.
        """
        _insist_on_name(reader)
        found = False
        for partition, stream in enumerate(self._streams(topic)):
            losses = self._keys.losses(partition)
            if await execute(self._redis, "EXISTS", stream):
                found |= await execute(self._redis, "XGROUP", "DESTROY", stream, reader) == 1
            await execute(self._redis, "HDEL", losses, f"{topic}/{reader}")
        return found

    async def states(
        self, topics: Iterable[Topic] = TOPICS, partitions: Sequence[int] | None = None
    ) -> list[ReaderState]:
        """Every reader of these topics and partitions, by topic and name."""
        wanted = range(self._keys.partitions) if partitions is None else partitions
        return [state for topic in topics for state in await self._of_topic(topic, wanted)]

    async def _of_topic(self, topic: Topic, partitions: Sequence[int]) -> list[ReaderState]:
        places = [
            place for partition in partitions for place in await self._places(topic, partition)
        ]
        lost = await self._lost(topic, partitions) if places else {}
        return [
            ReaderState(
                reader=reader,
                topic=topic,
                behind=sum(place.behind for place in places if place.reader == reader),
                pending=sum(place.pending for place in places if place.reader == reader),
                lost=lost.get(reader, 0),
                expelled=tuple(
                    place.partition
                    for place in places
                    if place.reader == reader and place.behind > BOUNDS[topic].held
                ),
            )
            for reader in sorted({place.reader for place in places})
        ]

    async def _places(self, topic: Topic, partition: int) -> list[_Place]:
        stream = self._keys.topic(partition, topic)
        try:
            groups = await self._redis.xinfo_groups(stream)
            facts = await self._redis.xinfo_stream(stream) if groups else {}
        except ResponseError:  # no such stream yet
            return []
        return [_place(group, facts, partition) for group in groups if group["name"] not in STAGES]

    async def _lost(self, topic: Topic, partitions: Sequence[int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for partition in partitions:
            flat = await execute(self._redis, "HGETALL", self._keys.losses(partition))
            for name, count in dict(flat).items():
                of, _, reader = str(name).partition("/")
                if of == topic:
                    found[reader] = found.get(reader, 0) + int(count)
        return found

    def _streams(self, topic: Topic) -> list[str]:
        return [self._keys.topic(partition, topic) for partition in range(self._keys.partitions)]


def _place(group: Any, facts: Any, partition: int) -> _Place:
    """How far a group is behind, as the trim script counts it."""
    reached, behind = str(group["last-delivered-id"]), int(facts["length"])
    first = facts["first-entry"]
    if order(reached) >= order(str(facts["last-generated-id"])):
        behind = 0
    elif first and order(reached) >= order(str(first[0])) and group["lag"] is not None:
        behind = int(group["lag"])
    pending = int(group["pending"])
    return _Place(
        str(group["name"]), partition, min(int(facts["length"]), behind + pending), pending
    )


def _insist_on_name(reader: str) -> None:
    if reader in STAGES:
        raise BusError(f"{reader} is one of our stages; give the reader another name")
    if not _NAME.fullmatch(reader):
        raise BusError(
            "a reader's name is 1 to 64 letters, digits, dots, dashes or underscores, "
            f"not {reader!r}"
        )
