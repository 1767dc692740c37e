"""The task that writes one partition's spine: the feed and the inbox in, commits out."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.ingest.adapters.feeds.base import Feed
from services.ingest.adapters.pen import INBOX, Pen
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import HERE, Cursor, Cursors, Item
from services.ingest.domain.spine import SpineWriter
from shared.bus.backpressure import Backpressure
from shared.bus.log import order
from shared.bus.partitions import partition_of
from shared.bus.session import Session
from shared.bus.tasks import end
from shared.events.spine import PARTITION_SYMBOL

_FEED_FIELD = "@feed"
# A rule that was just saved is in force this much later at most. Asking before every batch took
# a round trip a partition for each.
_INBOX_EVERY_S = 0.1
# Batches read ahead while a commit is under way.
_AHEAD = 4

Batches = asyncio.Queue[Sequence[Item] | None]
Finished = Callable[[int], Awaitable[None]]


class Feeding:
    """Writes spines, one ``run`` a partition. ``finished`` is told where the feed has ended.

    ``chosen`` are the symbols to take of those that the feed gives; all of them if empty.
    """

    def __init__(
        self,
        feed: Feed,
        table: InstrumentTable,
        chosen: Sequence[str],
        pressure: Backpressure,
        finished: Finished,
    ) -> None:
        self._feed = feed
        self._table = table
        self._chosen = chosen
        self._partitions = pressure.partitions
        self._pressure = pressure
        self._finished = finished

    async def run(self, session: Session) -> None:
        """Write the partition's spine until cancelled.

        Raises:
            LeaseLost: another worker writes it now.
            FeedError: the feed cannot be used.
        """
        pen = Pen(session, self._table)
        await self._take_over(session, pen.writer)
        batches: Batches = asyncio.Queue(_AHEAD)
        now = asyncio.get_running_loop().time
        ask_at = now()
        cursors = {**pen.writer.cursors(), **_places(session)}
        reading = asyncio.create_task(self._read(session.partition, cursors, batches))
        try:
            while True:
                await self._pressure.room(session.partition)
                if now() >= ask_at:
                    # What the inbox holds stands before the prices that it is to decide on.
                    await pen.answer()
                    ask_at = now() + _INBOX_EVERY_S
                items, ended = await _next(batches, reading)
                await pen.write(items)
                if ended:
                    await self._finished(session.partition)
        finally:
            await end([reading])

    async def _take_over(self, session: Session, writer: SpineWriter) -> None:
        """Start anew where another source wrote the last time: its cursors say nothing of ours."""
        identity = await self._feed.identity()
        if session.state.get(_FEED_FIELD) != identity:
            writer.forget_cursors()
            await session.commit((), {**writer.changes(), _FEED_FIELD: identity})

    async def _read(self, partition: int, cursors: Cursors, batches: Batches) -> None:
        """Put the feed's batches into the queue, and None where it ends."""
        given = await self._feed.symbols()
        chosen = [symbol for symbol in given if not self._chosen or symbol in self._chosen]
        # Whose partition is the star's gets what names no instrument.
        everything = (*chosen, PARTITION_SYMBOL)
        mine = [one for one in everything if partition_of(one, self._partitions) == partition]
        async for batch in self._feed.stream(mine, cursors):
            await batches.put(batch)
        await batches.put(None)


def _places(session: Session) -> Cursors:
    """The partition, and the committed offsets of topics that a feed reads by itself."""
    return {
        HERE: Cursor(session.partition, 0),
        **{
            f"@{topic}": Cursor(*order(entry_id))
            for topic, entry_id in session.offsets.items()
            if topic != INBOX
        },
    }


async def _next(batches: Batches, reading: asyncio.Task[None]) -> tuple[list[Item], bool]:
    """The batches that are there, waiting a little for the first, and whether they were the last.

    Raises what the feed raised.
    """
    if reading.done():
        reading.result()
    try:
        async with asyncio.timeout(_INBOX_EVERY_S):
            batch = await batches.get()
    except TimeoutError:
        return [], False
    items: list[Item] = []
    while batch is not None:
        items += batch
        if batches.empty():
            return items, False
        batch = batches.get_nowait()
    return items, True
