"""What a decider reads: one topic, read ahead of what has been decided."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.bus.log import START
from shared.bus.topics import Topic
from shared.events.base import Event
from shared.events.codec import Poison, RawEntry, decode_parts
from shared.events.control import WATERMARK
from shared.events.ticks import Ticks

Item = Event | Poison


@dataclass(slots=True)
class _Part:
    """Entries read together: their ids, what they are, and how many have been taken."""

    ids: Sequence[str]
    events: Ticks | Sequence[Item]
    taken: int = 0


class Input:
    """One topic: what was read ahead, and how far the plan has come.

    ``read`` and ``taken`` are the last entries read and taken, ``count`` how many ever were taken.
    ``reached`` is the position up to which a joined topic is known to be complete.
    """

    def __init__(self, topic: Topic, checkpoint: Mapping[str, str]) -> None:
        self.topic: Topic = topic
        self.read = self.taken = self._planned = checkpoint.get(topic, START)
        self.count = int(checkpoint.get(f"n:{topic}", "0"))
        self.waiting = 0
        self.reached = 0
        self._parts: deque[_Part] = deque()
        # The last entries of portions read ahead, and of those taken since the last plan.
        self._edges: deque[str] = deque()
        self._passed: list[str] = []

    def offer(self, entries: Sequence[RawEntry], *, in_runs: bool) -> None:
        """Take entries that follow what was read so far; ``in_runs``: ticks stay columns."""
        for ids, events in decode_parts(entries):
            if isinstance(events, Ticks) and not in_runs:
                self._parts.append(_Part(ids, events.models()))
            else:
                self._parts.append(_Part(ids, events))
            if isinstance(events, list):
                self.reached = max(self.reached, _reached(events))
        self.waiting += len(entries)
        self.read = entries[-1][0]
        self._edges.append(self.read)

    @property
    def head(self) -> Item | Ticks | None:
        """The next entry, or the run of ticks that it belongs to; None if nothing waits."""
        if not self._parts:
            return None
        part = self._parts[0]
        return part.events if isinstance(part.events, Ticks) else part.events[part.taken]

    def take(self) -> Item:
        """The next entry, which is in no run."""
        part = self._parts[0]
        assert not isinstance(part.events, Ticks)
        event = part.events[part.taken]
        self._take(part, 1)
        return event

    def take_run(self, most: int) -> tuple[Sequence[str], Ticks]:
        """The next of the run at the head, no more than so many, and their ids."""
        part = self._parts[0]
        assert isinstance(part.events, Ticks)
        first, last = part.taken, min(len(part.ids), part.taken + most)
        self._take(part, last - first)
        return part.ids[first:last], part.events.cut(first, last)

    def rests_on(self) -> list[tuple[Topic, str]]:
        """What must still be there for all that was taken since the last call to be true."""
        entries, self._passed = self._passed, []
        if self.taken not in (self._planned, *entries[-1:]):
            entries.append(self.taken)
        self._planned = self.taken
        return [(self.topic, entry_id) for entry_id in entries]

    def _take(self, part: _Part, entries: int) -> None:
        part.taken += entries
        self.count += entries
        self.waiting -= entries
        self.taken = part.ids[part.taken - 1]
        if part.taken == len(part.ids):
            self._parts.popleft()
        if self.taken == self._edges[0]:
            self._passed.append(self._edges.popleft())


def _reached(events: Iterable[Item]) -> int:
    """How far a joined topic is known to be complete: a later position ends the one before."""
    reached = 0
    for event in events:
        if isinstance(event, Event):
            reached = max(reached, event.pos if event.TYPE == WATERMARK else event.pos - 1)
    return reached
