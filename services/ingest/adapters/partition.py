"""The feed stage of one partition: what the feed says and the inbox asks for, onto the spine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Protocol

import structlog

from services.ingest.adapters.feeds.base import Feed
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import Item
from services.ingest.domain.spine import SpineWriter
from shared.bus.partitions import partition_of
from shared.bus.poison import dead_letter
from shared.bus.topics import Topic
from shared.events import ConfigRequested, Event
from shared.events.codec import Decoded
from shared.events.spine import PARTITION_SYMBOL

log = structlog.get_logger(__name__)

FEED_FIELD = "@feed"
# Items decided in one commit: as the stages', to hold the server for about a millisecond.
_BATCH = 500
# A request waits at most so long; people do not notice, and an empty read costs little.
_INBOX_S = 0.25
_INBOX: Topic = "inbox"
# Spine entries between two looks at how far the readers are.
_LOOK_EVERY = 2_000
# A feed that outruns the stages waits for them: the spine in memory stays small, and a stage that
# is this far behind is seconds away, not minutes.
_BEHIND_MAX = 20_000
_WAIT_S = 0.02


class Held(Protocol):
    """What the task needs of the bus's session of one partition."""

    partition: int
    state: dict[str, str]

    async def read(self, topic: Topic, *, count: int = ...) -> list[Decoded]:
        """Entries of a topic after the committed offset; none is taken."""
        ...

    async def commit(
        self,
        outputs: Sequence[Event],
        changes: Mapping[str, str] = ...,
        offsets: Mapping[Topic, tuple[str, int]] = ...,
    ) -> None:
        """Write outputs, changed state and offsets, all or nothing."""
        ...


Slowest = Callable[[int], Awaitable[int | None]]
"""Of a partition: the position that its slowest reader has reached; None if nobody reads."""


class PartitionFeed:
    """Feeds one partition at a time, from its checkpoint on."""

    def __init__(
        self,
        open_feed: Callable[[], Awaitable[Feed]],
        table: InstrumentTable,
        partitions: int,
        slowest: Slowest,
    ) -> None:
        self._open_feed = open_feed
        self._table = table
        self._partitions = partitions
        self._slowest = slowest

    async def run(self, session: Held) -> None:
        """Write the partition's spine until cancelled.

        Raises:
            FeedError: the feed cannot give prices.
            LeaseLost: another worker owns the partition.
        """
        feed = await self._open_feed()
        writer = SpineWriter(self._table, session.state)
        spine = _Spine(session, writer, self._slowest)
        if session.state.get(FEED_FIELD) != feed.identity:
            await spine.change_feed(feed.identity)
        # Settings that wait in the inbox stand before the first price that they are to decide on.
        await spine.put(())
        symbols = await self._symbols(feed, session.partition)
        async with aclosing(feed.stream(symbols, writer.cursors())) as stream:
            async for items in _with_pauses(stream, _INBOX_S):
                await spine.put(items)
        log.info("feed_ended", feed=feed.name, partition=session.partition)
        while True:
            await asyncio.sleep(_INBOX_S)
            await spine.put(())

    async def _symbols(self, feed: Feed, partition: int) -> list[str]:
        return [
            symbol
            for symbol in (*await feed.symbols(), PARTITION_SYMBOL)
            if partition_of(symbol, self._partitions) == partition
        ]


class _Spine:
    """Commits to one partition's spine."""

    def __init__(self, session: Held, writer: SpineWriter, slowest: Slowest) -> None:
        self._session = session
        self._writer = writer
        self._slowest = slowest
        self._looked_at = writer.pos

    async def change_feed(self, identity: str) -> None:
        """Another source than the last time: its prices have cursors of their own."""
        self._writer.forget_cursors()
        changes = {**self._writer.changes(), FEED_FIELD: identity}
        await self._session.commit((), changes)

    async def put(self, items: Sequence[Item]) -> None:
        """Write what the inbox asks for, then the items, in commits of bounded size."""
        await self._put_requests()
        for start in range(0, len(items), _BATCH):
            outputs = self._writer.process(items[start : start + _BATCH])
            await self._session.commit(outputs, self._writer.changes())
            await self._hold_back()

    async def _put_requests(self) -> None:
        entries = await self._session.read(_INBOX, count=_BATCH)
        if not entries:
            return
        outputs: list[Event] = []
        for entry_id, event in entries:
            if isinstance(event, ConfigRequested):
                outputs += self._writer.process([event])
            else:
                outputs.append(dead_letter("feed", _INBOX, entry_id, _as_poison(event)))
        offsets: dict[Topic, tuple[str, int]] = {_INBOX: (entries[-1][0], len(entries))}
        await self._session.commit(outputs, self._writer.changes(), offsets)

    async def _hold_back(self) -> None:
        """Wait while the stages that read the spine are too far behind it."""
        if self._writer.pos - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = self._writer.pos
        while True:
            reached = await self._slowest(self._session.partition)
            if reached is None or self._writer.pos - reached <= _BEHIND_MAX:
                return
            await asyncio.sleep(_WAIT_S)
