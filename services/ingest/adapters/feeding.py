"""The task that writes one partition's spine: the feed and the inbox in, commits out."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.ingest.adapters.feeds.base import Feed
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import Item
from services.ingest.domain.spine import Input, SpineWriter
from shared.bus.backpressure import Backpressure
from shared.bus.partitions import partition_of
from shared.bus.poison import dead_letter
from shared.bus.session import Session
from shared.bus.tasks import end
from shared.bus.topics import Topic
from shared.events import ConfigRequested, DeadLetter, Event
from shared.events.codec import Poison
from shared.events.spine import PARTITION_SYMBOL

_FEED_FIELD = "@feed"
_INBOX: Topic = "inbox"
# A rule that was just saved is in force this much later at most.
_INBOX_EVERY_S = 0.1
# Batches read ahead while a commit is under way.
_AHEAD = 4

Batches = asyncio.Queue[Sequence[Item]]
Finished = Callable[[int], Awaitable[None]]


class Feeding:
    """Writes spines, one ``run`` a partition. ``finished`` is told where the feed has ended."""

    def __init__(
        self,
        feed: Feed | None,
        table: InstrumentTable,
        partitions: int,
        pressure: Backpressure,
        finished: Finished,
    ) -> None:
        self._feed = feed
        self._table = table
        self._partitions = partitions
        self._pressure = pressure
        self._finished = finished

    async def run(self, session: Session) -> None:
        """Write the partition's spine until cancelled.

        Raises:
            LeaseLost: another worker writes it now.
            FeedError: the feed cannot be used.
        """
        writer = SpineWriter(self._table, session.state)
        name = "" if self._feed is None else self._feed.name
        if session.state.get(_FEED_FIELD, "") != name:
            writer.forget_cursors()
        batches: Batches = asyncio.Queue(_AHEAD)
        reading = asyncio.create_task(self._read(session.partition, writer, batches))
        try:
            while True:
                await self._pressure.room(session.partition)
                items = await _next(batches, reading)
                requests, offset = await _asked(session)
                await self._write(session, writer, [*requests, *items], offset)
        finally:
            await end([reading])

    async def _read(self, partition: int, writer: SpineWriter, batches: Batches) -> None:
        """Put the feed's batches into the queue, and tell when all are written."""
        if self._feed is None:
            return
        symbols = [
            symbol
            for symbol in (*await self._feed.symbols(), PARTITION_SYMBOL)
            if partition_of(symbol, self._partitions) == partition
        ]
        async for batch in self._feed.stream(symbols, writer.cursors()):
            await batches.put(batch)
        await batches.join()
        await self._finished(partition)

    async def _write(
        self,
        session: Session,
        writer: SpineWriter,
        inputs: Sequence[Input | DeadLetter],
        offset: tuple[str, int] | None,
    ) -> None:
        """Decide on the inputs and commit what follows; dead letters are passed on as they are."""
        if not inputs:
            return
        outputs = [one for one in inputs if isinstance(one, DeadLetter)]
        entries = writer.process([one for one in inputs if not isinstance(one, DeadLetter)])
        changes = writer.changes()
        if self._feed is not None and session.state.get(_FEED_FIELD) != self._feed.name:
            changes[_FEED_FIELD] = self._feed.name
        offsets = {} if offset is None else {_INBOX: offset}
        await session.commit([*outputs, *entries], changes, offsets)


async def _next(batches: Batches, reading: asyncio.Task[None]) -> list[Item]:
    """The batches that are there, waiting a little for the first; raises what the feed raised."""
    if reading.done():
        reading.result()
    try:
        items = list(await asyncio.wait_for(batches.get(), _INBOX_EVERY_S))
    except TimeoutError:
        return []
    batches.task_done()
    while not batches.empty():
        items += batches.get_nowait()
        batches.task_done()
    return items


async def _asked(
    session: Session,
) -> tuple[list[ConfigRequested | DeadLetter], tuple[str, int] | None]:
    """What stands in the inbox, and how far it was read."""
    entries = await session.read(_INBOX)
    asked: list[ConfigRequested | DeadLetter] = []
    for entry_id, event in entries:
        if isinstance(event, ConfigRequested):
            asked.append(event)
        else:
            poison = event if isinstance(event, Poison) else _foreign(event)
            asked.append(dead_letter("feed", _INBOX, entry_id, poison))
    return asked, (entries[-1][0], len(entries)) if entries else None


def _foreign(event: Event) -> Poison:
    fields = tuple(str(value) for value in event.wire())
    return Poison(fields, f"the inbox takes config_requested, not {event.TYPE}")
