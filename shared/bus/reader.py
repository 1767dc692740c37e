"""One partition of one subscription: from a read to the handler, and back if it fails."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from faststream.redis.message import FAKE_CONSUMER, BatchStreamMessage, RedisBatchStreamMessage

from shared.bus.cursor import Cursor, texts
from shared.events.base import Event
from shared.events.codec import Poison, decode
from shared.events.control import Watermark

log = structlog.get_logger(__name__)

_PAUSE_FIRST_S = 0.1
_PAUSE_LAST_S = 5.0
# Beyond it the pause has its full length; a handler may fail for days.
_DOUBLINGS_MAX = 10
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
class Delivery:
    """What one read gave: the ids of all its entries, and the handler's share of them."""

    ids: tuple[str, ...]
    batch: Batch
    size: int

    def __len__(self) -> int:
        """Bytes, as near as text tells: FastStream measures the length of a body."""
        return self.size


class Reader:
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
        rows = [texts(fields) for fields in raw["data"]]
        # An entry that was trimmed after it had been handed out comes again without fields.
        decoded = [
            (entry_id, event if fields else _TRIMMED)
            for (entry_id, event), fields in zip(
                decode(zip(ids, rows, strict=True)), rows, strict=True
            )
        ]
        if self.cursor.handed is not None:
            decoded = self.cursor.handed.fresh(decoded)
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
            body=Delivery(ids, batch, sum(len(part) for row in rows for part in row)),
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
            if self.cursor.handed is not None:
                self.cursor.handed.add(batch.entries)
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
        doubled = 2 ** min(self._failures - 1, _DOUBLINGS_MAX)
        left = min(_PAUSE_LAST_S, _PAUSE_FIRST_S * doubled)
        while left > 0 and self.cursor.subscriber.running:
            await asyncio.sleep(min(left, _PAUSE_FIRST_S))
            left -= _PAUSE_FIRST_S


async def body(message: RedisBatchStreamMessage) -> Any:
    """FastStream's decoder: the parser has done it all."""
    return message.body
