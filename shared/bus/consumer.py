"""Subscribing with FastStream: how whoever is no stage consumes a topic, and loses nothing.

``LogBroker`` is FastStream's broker with one method more. Left alone, FastStream 0.7.8 starts a new
group at ``$`` and so skips the backlog, reads ``$`` anew at every poll without a group, never
hands a failed entry out again, and spins on a group that is told to start at ``0``.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from faststream import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from redis.exceptions import RedisError

from shared.bus.cursor import GroupCursor, IdCursor
from shared.bus.keys import Keys
from shared.bus.lives import Lives
from shared.bus.log import START, BusError
from shared.bus.reader import Batch, Handler, Reader, body
from shared.bus.tasks import end
from shared.bus.topics import OPS_TOPIC, Topic

__all__ = ["Batch", "LogBroker", "Upkeep"]

log = structlog.get_logger(__name__)

_RECORDS = 500
_BLOCK_MS = 500
# Above the blocking read, so that only a silent server runs into it.
_SOCKET_TIMEOUT_S = 5.0
_STOP_S = 5.0


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
        self._readers: list[Reader] = []
        self._lives: list[str] = []
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
                reader = Reader(handler, topic, partition)
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
        if self._readers:
            self._lives = await Lives(client, self._keys).now()
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
        self, reader: Reader, key: str, start: str, member: tuple[str | None, str | None]
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
            decoder=body,
            ack_policy=AckPolicy.MANUAL,
            title=f"{reader.topic}: {group or 'every entry'}",
            description=reader.handler.__doc__,
            # One partition stands for all: the others differ in the hash tag alone.
            include_in_schema=reader.partition == 0,
        )
        subscriber(reader.take)
        reader.cursor = (
            IdCursor(subscriber, lambda: self._lives[reader.partition])
            if group is None
            else GroupCursor(subscriber, start, self._upkeep.orphaned_after_ms)
        )

    async def _look_after(self, client: Any) -> None:
        while True:
            await asyncio.sleep(self._upkeep.every_s)
            try:
                self._lives = await Lives(client, self._keys).now()
            except BusError as error:
                log.warning("upkeep_failed", reason=str(error))
            for reader in self._readers:
                try:
                    await reader.cursor.tend(client)
                except (RedisError, OSError) as error:
                    log.warning("upkeep_failed", topic=reader.topic, reason=str(error))
