"""The task that writes one partition's spine: the feed and the inbox in, commits out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import pairwise

from services.ingest.adapters.feeds.base import Feed
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import HERE, Cursor, Cursors, FeedTaken, Item
from services.ingest.domain.spine import Input, SpineWriter
from shared.bus.backpressure import Backpressure
from shared.bus.log import order
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
# A rule that was just saved is in force this much later at most. Asking before every batch took
# a round trip a partition for each.
_INBOX_EVERY_S = 0.1
# Items decided in one commit: as the stages', to hold the server for about a millisecond.
_BATCH = 500
# Batches read ahead while a commit is under way.
_AHEAD = 4
# Passed on as they are: letters to the log, places to the checkpoint.
_NOT_DECIDED = frozenset({DeadLetter, FeedTaken})

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
        writer = SpineWriter(self._table, session.state)
        await self._take_over(session, writer)
        batches: Batches = asyncio.Queue(_AHEAD)
        now = asyncio.get_running_loop().time
        ask_at = now()
        cursors = {**writer.cursors(), **_places(session)}
        reading = asyncio.create_task(self._read(session.partition, cursors, batches))
        try:
            while True:
                await self._pressure.room(session.partition)
                if now() >= ask_at:
                    # What the inbox holds stands before the prices that it is to decide on.
                    requests, offset = await _asked(session)
                    await _commit(session, writer, requests, offset)
                    ask_at = now() + _INBOX_EVERY_S
                items, ended = await _next(batches, reading)
                for part in _cut(items):
                    await _commit(session, writer, part)
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


async def _commit(
    session: Session,
    writer: SpineWriter,
    inputs: Sequence[Input | DeadLetter],
    offset: tuple[str, int] | None = None,
) -> None:
    """Decide on the inputs and commit what follows; dead letters are passed on as they are.

    What the inputs say of another topic's place becomes its offset.

    Where nothing follows (the time alone has moved) nothing is committed: it is told again.
    """
    outputs: list[Event] = []
    offsets: dict[Topic, tuple[str, int]] = {}
    if not _NOT_DECIDED.isdisjoint(map(type, inputs)):
        outputs += [one for one in inputs if isinstance(one, DeadLetter)]
        offsets = _offsets(inputs)
        inputs = [one for one in inputs if type(one) not in _NOT_DECIDED]
    if offset is not None:
        offsets[_INBOX] = offset
    outputs += writer.process(inputs)  # type: ignore[arg-type]
    if outputs or offsets:
        await session.commit(outputs, writer.changes(), offsets)


def _offsets(inputs: Sequence[Input | DeadLetter]) -> dict[Topic, tuple[str, int]]:
    """How far topics besides the inbox have been handed over."""
    found: dict[Topic, tuple[str, int]] = {}
    for one in inputs:
        if type(one) is FeedTaken:
            _, before = found.get(one.topic, ("", 0))
            found[one.topic] = (one.entry, before + one.entries)
    return found


def _places(session: Session) -> Cursors:
    """The partition, and the committed offsets of topics that a feed reads by itself."""
    return {
        HERE: Cursor(session.partition, 0),
        **{
            f"@{topic}": Cursor(*order(entry_id))
            for topic, entry_id in session.offsets.items()
            if topic != _INBOX
        },
    }


def _cut(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Parts for one commit each. What came of another topic stays with that topic's place."""
    if FeedTaken not in map(type, items):
        return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))
    marks = [number for number, one in enumerate(items, 1) if type(one) is FeedTaken]
    ends = [*marks, len(items)]
    return (items[start:end] for start, end in pairwise([0, *ends]) if start < end)


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
