"""Subscribing with FastStream: how whoever is no stage consumes a topic, and loses nothing.

``LogBroker`` is FastStream's broker with one method more. Left alone, FastStream 0.7.8 starts a new
group at ``$`` and so skips the backlog, reads ``$`` anew at every poll without a group, never
hands a failed entry out again, and spins on a group that is told to start at ``0``.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from faststream import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.message import FAKE_CONSUMER, BatchStreamMessage, RedisBatchStreamMessage
from redis.exceptions import RedisError

from shared.bus.cursor import Cursor, GroupCursor, IdCursor
from shared.bus.keys import Keys
from shared.bus.log import START
from shared.bus.tasks import end
from shared.bus.topics import OPS_TOPIC, Topic
from shared.events.base import Event
from shared.events.codec import Poison, decode
from shared.events.control import Watermark

log = structlog.get_logger(__name__)

_RECORDS = 500
_BLOCK_MS = 500
# Above the blocking read, so that only a silent server runs into it.
_SOCKET_TIMEOUT_S = 5.0
_STOP_S = 5.0
_PAUSE_FIRST_S = 0.1
_PAUSE_LAST_S = 5.0
_TRIMMED = Poison((), "trimmed before it was dealt with")


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one topic and partition, in order, with their ids; watermarks are left out.

    ``unreadable`` holds what is no event of ours, with the reason. ``ops`` has one partition, 0.
    """

    topic: str
    partition: int
    entries: tuple[tuple[str, Event], ...]
    unreadable: tuple[tuple[str, Poison], ...] = ()

    @property
    def events(self) -> list[Event]:
        """The events alone."""
        return [event for _, event in self.entries]


Handler = Callable[[Batch], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How often subscriptions are looked after, and when a consumer counts as gone.

    ``orphaned_after_ms`` must be longer than any handler takes: entries handed to a consumer that
    has not acknowledged them for so long go to another of its group.
    """

    every_s: float = 5.0
    orphaned_after_ms: int = 60_000


_UPKEEP = Upkeep()


class LogBroker(RedisBroker):
    """FastStream's broker for the log of one namespace."""

    def __init__(
        self,
        url: str,
        keys: Keys,
        *,
        middlewares: Sequence[Any] = (),
        upkeep: Upkeep = _UPKEEP,
    ) -> None:
        # Its lines for every message are for debugging; its errors go where all logs go.
        super().__init__(
            url,
            middlewares=middlewares,
            logger=logging.getLogger("tideline.broker"),
            log_level=logging.DEBUG,
            socket_timeout=_SOCKET_TIMEOUT_S,
            graceful_timeout=_STOP_S,
        )
        self._keys = keys
        self._upkeep = upkeep
        self._readers: list[_Reader] = []
        self._looking_after: asyncio.Task[None] | None = None

    def subscribe(
        self,
        topic: Topic | Literal["ops"],
        *,
        group: str | None = None,
        consumer: str | None = None,
        start: str | Mapping[int, str] = START,
    ) -> Callable[[Handler], Handler]:
        """Have a handler called with every batch of a topic, one partition's after another.

        With ``group`` and ``consumer`` (a name that outlives restarts) Redis keeps the place: each
        entry goes to one consumer of the group, at least once, and is acknowledged when the
        handler returns. ``start`` is where a *new* group begins. Without a group every subscriber
        sees every entry after ``start``: an id, an id for each partition, or ``$`` for what comes
        from now on.

        A handler that raises gets the same entries again, after a pause that grows to 5 s, until
        it returns; nothing newer of that partition comes before. Whoever wants to skip an event
        catches the error.

        Raises:
            ValueError: a group without a consumer, or the other way round.
        """
        if (group is None) != (consumer is None):
            raise ValueError("a subscription names both group and consumer, or neither")

        def register(handler: Handler) -> Handler:
            for partition, key in enumerate(self._streams(topic)):
                reader = _Reader(handler, topic, partition)
                place = start if isinstance(start, str) else start.get(partition, START)
                self._attach(reader, key, place, (group, consumer))
                self._readers.append(reader)
            return handler

        return register

    @property
    def topics(self) -> list[str]:
        """The topics subscribed to."""
        return list(dict.fromkeys(reader.topic for reader in self._readers))

    def stalled(self) -> list[str]:
        """Subscriptions that do not run, one sentence each."""
        return [
            f"the subscription to {reader.topic}, partition {reader.partition}, has stopped"
            for reader in self._readers
            if not reader.cursor.subscriber.running
        ]

    async def start(self) -> None:
        client = await self.connect()
        for reader in self._readers:
            await reader.cursor.prepare(client)
        await super().start()
        if self._readers:
            self._looking_after = asyncio.create_task(self._look_after(client))

    async def stop(self, *args: Any, **kwargs: Any) -> None:
        if self._looking_after is not None:
            await end([self._looking_after])
            self._looking_after = None
        # Handlers end first, then the reads for certain, and only then the connections.
        subscribers = [reader.cursor.subscriber for reader in self._readers]
        reads = [task for subscriber in subscribers for task in subscriber.tasks]
        await asyncio.gather(*(subscriber.stop() for subscriber in subscribers))
        await end(reads)
        await super().stop(*args, **kwargs)

    def _streams(self, topic: Topic | Literal["ops"]) -> list[str]:
        if topic == OPS_TOPIC:
            return [self._keys.ops()]
        return [self._keys.topic(partition, topic) for partition in range(self._keys.partitions)]

    def _attach(
        self, reader: "_Reader", key: str, start: str, member: tuple[str | None, str | None]
    ) -> None:
        group, consumer = member
        stream = StreamSub(
            key,
            polling_interval=_BLOCK_MS,
            group=group,
            consumer=consumer,
            batch=True,
            last_id=start if group is None else ">",
            max_records=_RECORDS,
        )
        subscriber = self.subscriber(
            stream=stream,
            parser=reader.parse,
            decoder=_body,
            ack_policy=AckPolicy.MANUAL,
            title=f"{reader.topic}: {group or 'every entry'}",
            description=reader.handler.__doc__,
            # One partition stands for all: the others differ in the hash tag alone.
            include_in_schema=reader.partition == 0,
        )
        subscriber(reader.take)
        reader.cursor = (
            IdCursor(subscriber)
            if group is None
            else GroupCursor(subscriber, start, self._upkeep.orphaned_after_ms)
        )

    async def _look_after(self, client: Any) -> None:
        while True:
            await asyncio.sleep(self._upkeep.every_s)
            for reader in self._readers:
                try:
                    await reader.cursor.tend(client)
                except (RedisError, OSError) as error:
                    log.warning("upkeep_failed", topic=reader.topic, reason=str(error))


@dataclass(frozen=True, slots=True)
class _Delivery:
    """What one read gave: the ids of all its entries, and the handler's share of them."""

    ids: tuple[str, ...]
    batch: Batch
    size: int

    def __len__(self) -> int:
        """Bytes, as near as text tells: FastStream measures the length of a body."""
        return self.size


class _Reader:
    """One partition of one subscription."""

    cursor: Cursor

    def __init__(self, handler: Handler, topic: str, partition: int) -> None:
        self.handler = handler
        self.topic = topic
        self.partition = partition
        self._failures = 0

    async def parse(self, raw: BatchStreamMessage) -> RedisBatchStreamMessage:
        """Plain fields to events: FastStream's parser knows only its own envelope."""
        ids = tuple(entry_id.decode() for entry_id in raw["message_ids"])
        rows = [_texts(fields) for fields in raw["data"]]
        # An entry that was trimmed after it had been handed out comes again without fields.
        decoded = [
            (entry_id, event if fields else _TRIMMED)
            for (entry_id, event), fields in zip(
                decode(zip(ids, rows, strict=True)), rows, strict=True
            )
        ]
        batch = Batch(
            self.topic,
            self.partition,
            tuple(
                (entry_id, event)
                for entry_id, event in decoded
                if isinstance(event, Event) and not isinstance(event, Watermark)
            ),
            tuple((entry_id, event) for entry_id, event in decoded if isinstance(event, Poison)),
        )
        return RedisBatchStreamMessage(
            raw_message=raw,
            body=_Delivery(ids, batch, sum(len(part) for row in rows for part in row)),
            correlation_id=ids[0],
            consumer=FAKE_CONSUMER,
            group=None,
        )

    async def take(self, delivery: Any) -> None:
        """Hand a batch to the handler and keep the place; FastStream calls this."""
        batch = delivery.batch
        for entry_id, poison in batch.unreadable:
            log.warning("entry_unreadable", topic=self.topic, entry=entry_id, reason=poison.reason)
        try:
            if batch.entries or batch.unreadable:
                await self.handler(batch)
            await self.cursor.advance(delivery.ids)
        except Exception as error:
            self._failures += 1
            self.cursor.back()
            log.warning(
                "handler_failed",
                topic=self.topic,
                partition=self.partition,
                entry=delivery.ids[0],
                failures=self._failures,
                reason=repr(error),
            )
            await self._pause()
            raise
        self._failures = 0

    async def _pause(self) -> None:
        """Wait before the same entries come again, but not for a broker that is stopping."""
        left = min(_PAUSE_LAST_S, _PAUSE_FIRST_S * 2 ** (self._failures - 1))
        while left > 0 and self.cursor.subscriber.running:
            await asyncio.sleep(min(left, _PAUSE_FIRST_S))
            left -= _PAUSE_FIRST_S


async def _body(message: RedisBatchStreamMessage) -> Any:
    return message.body


def _texts(fields: Mapping[bytes, bytes]) -> list[str]:
    return [part.decode("utf-8", "replace") for pair in fields.items() for part in pair]
