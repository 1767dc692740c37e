"""Writing one partition's spine: what is decided together, and committed in parts that fit."""

from collections.abc import Iterator, Mapping, Sequence

from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import FeedReached, FeedTaken, FeedTime, Item
from services.ingest.domain.spine import Input, SpineWriter
from shared.bus.cap import TooLarge
from shared.bus.poison import dead_letter
from shared.bus.session import Session
from shared.bus.topics import Topic
from shared.events import ConfigRequested, DeadLetter, Event
from shared.events.codec import Decoded, Poison

INBOX: Topic = "inbox"
# Items decided in one commit: as the stages', to hold the server for some milliseconds.
_BATCH = 500
# Symbols closed in one commit by the time alone: after a silence that is six entries of each.
_CLOSES = 500
_NOTHING: Mapping[Topic, tuple[str, int]] = {}


class Pen:
    """Decides on items and requests of one partition, and commits what follows.

    ``writer`` has decided on everything that is committed, and on no more between two calls.
    """

    def __init__(self, session: Session, table: InstrumentTable) -> None:
        self.writer = SpineWriter(table, session.state)
        self._session = session
        self._table = table

    async def write(self, items: Sequence[Item]) -> None:
        """Put what follows from the items on the spine.

        Raises:
            LeaseLost: another worker writes it now.
            TooLarge: what was taken together from another topic does not fit into one commit.
        """
        for part in self._parts(items):
            await self._put(part, _offsets(part))

    async def answer(self) -> None:
        """Put on the spine what stands in the inbox."""
        entries = await self._session.read(INBOX)
        if entries:
            await self._answer(entries)

    def _parts(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Parts for one commit each. What came of another topic stays with that topic's place."""
        first, kinds = 0, set(map(type, items))
        many = FeedTime in kinds and len(self.writer.deadlines) + len(items) > _CLOSES
        for number, item in enumerate(items, 1) if many or FeedTaken in kinds else ():
            if type(item) is FeedTaken:
                yield items[first:number]
                first = number
            elif many and type(item) is FeedTime and self._ends(item, number - first) > _CLOSES:
                if first < number - 1:
                    yield from _batches(items[first : number - 1])
                yield from self._closes(item)
                first = number - 1
        yield from _batches(items[first:])

    def _ends(self, time: FeedTime, before: int) -> int:
        """How many symbols the time can end windows of, at most, after so many more items."""
        return len(self.writer.deadlines.due(time.at)) + before

    def _closes(self, time: FeedTime) -> Iterator[Sequence[Item]]:
        """What the time ends, all but the last part of it, in the order in which it would."""
        due = self.writer.deadlines.due(time.at)
        for first in range(0, len(due) - _CLOSES, _CLOSES):
            yield [FeedReached(symbol, time.at) for symbol in due[first : first + _CLOSES]]

    async def _put(self, items: Sequence[Item], offsets: Mapping[Topic, tuple[str, int]]) -> None:
        """Commit what follows from the items, in halves where it is too large."""
        taken = [one for one in items if type(one) is not FeedTaken] if offsets else items
        try:
            await self._commit(taken, (), offsets)
        except TooLarge:
            self.writer = SpineWriter(self._table, self._session.state)
            if offsets or len(items) < 2:
                raise
            middle = len(items) // 2
            await self._put(items[:middle], _NOTHING)
            await self._put(items[middle:], _NOTHING)

    async def _answer(self, entries: Sequence[Decoded]) -> None:
        """Commit what follows from requests; one that fits into no commit is a dead letter."""
        offsets = {INBOX: (entries[-1][0], len(entries))}
        asked = [event for _, event in entries if isinstance(event, ConfigRequested)]
        try:
            await self._commit(
                asked, [letter for one in entries for letter in _refused(*one)], offsets
            )
        except TooLarge as large:
            self.writer = SpineWriter(self._table, self._session.state)
            middle = len(entries) // 2
            if middle:
                await self._answer(entries[:middle])
                await self._answer(entries[middle:])
                return
            entry_id, event = entries[0]
            fields = event.fields if isinstance(event, Poison) else _texts(event)
            poison = Poison(fields, str(large))
            await self._commit((), [dead_letter("feed", INBOX, entry_id, poison)], offsets)

    async def _commit(
        self,
        inputs: Sequence[Input],
        letters: Sequence[DeadLetter],
        offsets: Mapping[Topic, tuple[str, int]],
    ) -> None:
        """Decide, and commit what follows.

        Where nothing follows (the time alone has moved) nothing is committed: it is told again.
        """
        outputs: list[Event] = [*letters, *self.writer.process(inputs)]
        if outputs or offsets:
            await self._session.commit(outputs, self.writer.changes(), offsets)


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[first : first + _BATCH] for first in range(0, len(items), _BATCH))


def _offsets(items: Sequence[Item]) -> Mapping[Topic, tuple[str, int]]:
    """How far topics besides the inbox have been handed over."""
    last = items[-1]
    return {last.topic: (last.entry, last.entries)} if type(last) is FeedTaken else _NOTHING


def _refused(entry_id: str, event: Event | Poison) -> Iterator[DeadLetter]:
    """The dead letter of what is no request."""
    if not isinstance(event, ConfigRequested):
        poison = event if isinstance(event, Poison) else _foreign(event)
        yield dead_letter("feed", INBOX, entry_id, poison)


def _foreign(event: Event) -> Poison:
    return Poison(_texts(event), f"the inbox takes config_requested, not {event.TYPE}")


def _texts(event: Event) -> tuple[str, ...]:
    return tuple(map(str, event.wire()))
