"""Where a FastStream subscriber stands in its stream, moved so that nothing is skipped."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from faststream.redis.subscriber.usecases import StreamBatchSubscriber
from redis.exceptions import ResponseError

from shared.bus.handed import KEPT_MAX, Handed, rewound
from shared.bus.log import START, order
from shared.events.codec import Decoded, decode

log = structlog.get_logger(__name__)

Life = Callable[[], str]
"""Tells the life of a partition, as last seen."""

_NEW = ">"
_PENDING = "0"
_FROM_NOW_ON = "$"
_CLAIMED_AT_ONCE = 500


class Cursor(Protocol):
    """The place of one subscriber."""

    subscriber: StreamBatchSubscriber
    handed: Handed | None

    async def prepare(self, client: Any) -> None:
        """Find the place to start from; called before the subscriber reads."""
        ...

    async def advance(self, ids: Sequence[str]) -> None:
        """These entries, just read, are dealt with."""
        ...

    def back(self) -> None:
        """The entries just read are to be read again."""
        ...

    async def tend(self, client: Any) -> None:
        """Mend what went wrong outside any read."""
        ...


class IdCursor:
    """Without a group: the id of the last entry that was dealt with, kept by this process alone.

    A failover that takes entries back does not take this place back. Where the partition has a new
    life (``shared.bus.lives``), the place goes back by itself, and ``handed`` leaves out what was
    dealt with already.
    """

    def __init__(self, subscriber: StreamBatchSubscriber, life: Life) -> None:
        self.subscriber = subscriber
        self.handed: Handed | None = Handed()
        self._done = subscriber.last_id
        self._now = life
        self._life: str | None = None
        self._is_back = False

    async def prepare(self, client: Any) -> None:
        """Make ``$`` an id: asked for anew at every poll it would skip what comes in between.

        What stands before the place counts as handed out, so that no rewind brings it.
        """
        stream = self.subscriber.stream_sub.name
        if self._done == _FROM_NOW_ON:
            self._done = await _last_id(client, stream)
        elif "-" not in self._done:  # as a server takes it too
            self._done = f"{self._done}-0"
        self.subscriber.last_id = self._done
        self._life = self._now()
        if self.handed is not None and order(self._done) > order(START):
            self.handed.add(await _minute_before(client, stream, self._done))

    async def advance(self, ids: Sequence[str]) -> None:
        if self._is_back:  # while these were on their way, which moved the place on
            self.subscriber.last_id = self._done
            self._is_back = False
        else:
            self._done = ids[-1]

    def back(self) -> None:
        self.subscriber.last_id = self._done

    async def tend(self, client: Any) -> None:
        """Go back where the partition has a new life."""
        life = self._now()
        if self._life not in (None, life):
            self._done = rewound(self._done)
            self.subscriber.last_id = self._done
            self._is_back = True
            log.warning("subscription_rewound", stream=self.subscriber.stream_sub.name, life=life)
        self._life = life


class GroupCursor:
    """In a group: first whatever this consumer was given and did not acknowledge, then new entries.

    So a failed batch, a lost reply, a restart and a consumer that is gone are mended in one way.
    """

    def __init__(
        self, subscriber: StreamBatchSubscriber, start: str, orphaned_after_ms: int
    ) -> None:
        self.subscriber = subscriber
        # A group's place is taken back with its stream, so what comes again is to come again.
        self.handed: Handed | None = None
        self._start = start
        self._orphaned_after_ms = orphaned_after_ms
        self._client: Any = None
        # Acknowledging and looking at what is pending must not interleave.
        self._turn = asyncio.Lock()

    async def prepare(self, client: Any) -> None:
        """Create the group where it is to begin, and take up what was left behind.

        Raises:
            redis.ResponseError: the key holds something else than a stream.
        """
        self._client = client
        sub = self.subscriber.stream_sub
        try:
            await client.xgroup_create(sub.name, sub.group, id=self._start, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        await self._take_up()

    async def advance(self, ids: Sequence[str]) -> None:
        sub = self.subscriber.stream_sub
        async with self._turn:
            await self._client.xack(sub.name, sub.group, *ids)
            if self.subscriber.read_id == _PENDING:
                await self._look()

    def back(self) -> None:
        self.subscriber.read_id = _PENDING

    async def tend(self, client: Any) -> None:
        """Take over from consumers that are gone; begin anew where the group itself is gone."""
        if self.subscriber.running:
            await self._take_up()
            return
        log.warning("subscription_restarted", stream=self.subscriber.stream_sub.name)
        await self.prepare(client)
        await self.subscriber.start()

    async def _take_up(self) -> None:
        sub = self.subscriber.stream_sub
        async with self._turn:
            _, claimed, gone = await self._client.xautoclaim(
                sub.name,
                sub.group,
                sub.consumer,
                self._orphaned_after_ms,
                count=_CLAIMED_AT_ONCE,
            )
            if claimed:
                log.info("entries_taken_over", stream=sub.name, group=sub.group, count=len(claimed))
            if gone:
                log.warning("entries_lost", stream=sub.name, group=sub.group, count=len(gone))
            await self._look()

    async def _look(self) -> None:
        """Read what is pending for this consumer next, else what is new."""
        sub = self.subscriber.stream_sub
        left = await self._client.xpending_range(
            sub.name, sub.group, "-", "+", 1, consumername=sub.consumer
        )
        self.subscriber.read_id = _PENDING if left else _NEW


async def _minute_before(client: Any, stream: str, place: str) -> list[Decoded]:
    """What a rewind from a place would read again, up to the place and with it."""
    newest = await client.xrevrange(stream, max=place, min=rewound(place), count=KEPT_MAX)
    return decode((entry.decode(), texts(fields)) for entry, fields in reversed(newest))


def texts(fields: Mapping[bytes, bytes]) -> list[str]:
    """An entry's names and values by turns, as FastStream's client gives them."""
    return [part.decode("utf-8", "replace") for pair in fields.items() for part in pair]


async def _last_id(client: Any, stream: str) -> str:
    try:
        facts = await client.xinfo_stream(stream)
    except ResponseError:  # no such stream yet
        return "0-0"
    return str(facts["last-generated-id"].decode())
