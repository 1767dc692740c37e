"""Looking at the log from outside the stages: history, views, lag. Nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import START, order
from shared.bus.partitions import partition_of
from shared.bus.progress import PartitionLag
from shared.bus.topics import STAGE_INPUTS, StageName, Topic
from shared.events.base import MICROS_PER_SECOND
from shared.events.codec import Decoded, RawEntry, decode


@dataclass(frozen=True, slots=True)
class TopicSize:
    """A partition's topic: entries kept, ever added, and the newest entry's id."""

    length: int
    added: int
    last_id: str


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a stage is behind one of its inputs in one partition, in entries.

    ``lost`` counts entries that were trimmed before the stage could read them.
    """

    behind: int
    lost: int


class RedisReads:
    """Questions to a namespace's log."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self.partitions = keys.partitions

    async def recent(self, partition: int, topic: Topic, count: int) -> list[Decoded]:
        """The newest ``count`` entries of a topic, oldest first."""
        key = self._keys.topic(partition, topic)
        newest = await execute(self._redis, "XREVRANGE", key, "+", "-", "COUNT", count)
        return decode(reversed(newest))

    async def span(
        self, partition: int, topic: Topic, first: str, last: str, count: int
    ) -> list[Decoded]:
        """Up to ``count`` entries from id ``first`` to ``last``, both included unless ``(``."""
        key = self._keys.topic(partition, topic)
        return decode(await execute(self._redis, "XRANGE", key, first, last, "COUNT", count))

    async def views(self, stage: StageName, symbols: Iterable[str]) -> dict[str, str]:
        """What the stage last showed of each symbol; symbols without a view are left out."""
        wanted = list(symbols)
        pipe = self._redis.pipeline(transaction=False)
        for symbol in wanted:
            partition = partition_of(symbol, self._keys.partitions)
            pipe.hget(self._keys.view(partition, stage), symbol)
        shown = await pipe.execute()
        return {symbol: text for symbol, text in zip(wanted, shown, strict=True) if text}

    async def viewed(self, stage: StageName) -> list[str]:
        """Every symbol the stage shows something of, sorted."""
        pipe = self._redis.pipeline(transaction=False)
        for partition in range(self._keys.partitions):
            pipe.hkeys(self._keys.view(partition, stage))
        return sorted(symbol for names in await pipe.execute() for symbol in names)

    async def sizes(self, topic: Topic) -> list[TopicSize]:
        """Each partition's size of a topic."""
        pipe = self._redis.pipeline(transaction=False)
        for partition in range(self._keys.partitions):
            pipe.xinfo_stream(self._keys.topic(partition, topic))
        return [_size(reply) for reply in await pipe.execute(raise_on_error=False)]

    async def lag(self, stage: StageName) -> dict[Topic, list[Lag]]:
        """How far the stage is behind, per input topic, a row a partition."""
        return {topic: await self._topic_lag(stage, topic) for topic in STAGE_INPUTS[stage]}

    async def partition_lags(
        self, stage: StageName, partitions: Sequence[int]
    ) -> dict[int, PartitionLag]:
        """How far the stage is behind in these partitions, over all its inputs."""
        lags = await self.lag(stage)
        losses = await self._losses(stage, partitions)
        event_s = await self._event_lags(stage, partitions)
        driving = lags[STAGE_INPUTS[stage][0]]
        return {
            partition: PartitionLag(
                behind=sum(rows[partition].behind for rows in lags.values()),
                lost=max(lost, sum(rows[partition].lost for rows in lags.values())),
                event_s=late if driving[partition].behind else 0.0,
            )
            for partition, late, lost in zip(partitions, event_s, losses, strict=True)
        }

    async def _losses(self, stage: StageName, partitions: Sequence[int]) -> list[int]:
        """What the stage has lost in each partition since there is a log, as it was noticed."""
        names = [f"{topic}/{stage}" for topic in STAGE_INPUTS[stage]]
        found = await self._pipe(("HMGET", self._keys.losses(one), *names) for one in partitions)
        return [sum(int(count or 0) for count in counts) for counts in found]

    async def _event_lags(self, stage: StageName, partitions: Sequence[int]) -> list[float]:
        """Seconds of the market between the newest entry and the last one decided on."""
        topic = STAGE_INPUTS[stage][0]
        offsets = await self._pipe(
            ("HGET", self._keys.checkpoint(one, stage), topic) for one in partitions
        )
        streams = [self._keys.topic(partition, topic) for partition in partitions]
        newest = await self._pipe(("XREVRANGE", one, "+", "-", "COUNT", 1) for one in streams)
        decided = await self._pipe(
            ("XRANGE", one, "-" if at is None else at, "+", "COUNT", 1)
            for one, at in zip(streams, offsets, strict=True)
        )
        return [
            max(0, _at(last) - _at(done)) / MICROS_PER_SECOND
            for last, done in zip(newest, decided, strict=True)
        ]

    async def _pipe(self, commands: Iterable[tuple[str | int, ...]]) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        return await pipe.execute()

    async def _topic_lag(self, stage: StageName, topic: Topic) -> list[Lag]:
        # Progress is read before sizes: reading it after could show a stage ahead of its input.
        pipe = self._redis.pipeline(transaction=False)
        for partition in range(self._keys.partitions):
            pipe.hmget(self._keys.checkpoint(partition, stage), [f"n:{topic}", topic])
        came = await pipe.execute()
        return [
            _lag(size, int(done or 0), place or START)
            for size, (done, place) in zip(await self.sizes(topic), came, strict=True)
        ]


def _lag(size: TopicSize, done: int, place: str) -> Lag:
    """How far a stage is behind that has taken so many entries, up to this one."""
    # One that was lost is never counted as taken: without this it would be waited for for ever.
    is_at_end = order(place) >= order(size.last_id)
    return Lag(
        behind=0 if is_at_end else max(0, min(size.length, size.added - done)),
        lost=max(0, size.added - size.length - done),
    )


def _at(entries: Sequence[RawEntry]) -> int:
    """The event time of the first of some entries; 0 where it has none."""
    fields = entries[0][1] if entries else ()
    at = dict(zip(fields[::2], fields[1::2], strict=False)).get("at", "")
    return int(at) if at.isascii() and at.isdigit() else 0


def _size(reply: object) -> TopicSize:
    if not isinstance(reply, dict):  # no such stream yet
        return TopicSize(0, 0, "0-0")
    return TopicSize(
        length=int(reply["length"]),
        added=int(reply["entries-added"]),
        last_id=str(reply["last-generated-id"]),
    )
