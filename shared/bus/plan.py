"""What a decider has taken from its inputs since its last commit, and what followed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.bus.topics import Topic
from shared.events.base import Event
from shared.events.control import DeadLetter
from shared.events.ticks import Ticks


@dataclass(slots=True)
class Part:
    """Events of one topic that the machine sees at once, and their entries."""

    topic: Topic
    ids: list[str]
    events: list[Event] | Ticks


@dataclass(slots=True)
class Plan:
    """What was taken from the inputs since the last commit, and what followed from it.

    The machine has seen the first ``decided`` of the parts.
    """

    parts: list[Part] = field(default_factory=list)
    decided: int = 0
    outputs: list[Event] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    consumed: int = 0
    closed: bool = False

    def add(self, topic: Topic, entry_id: str, event: Event) -> None:
        """Take one event that the machine has not seen."""
        last = self.parts[-1] if len(self.parts) > self.decided else None
        if last is not None and last.topic == topic and isinstance(last.events, list):
            last.ids.append(entry_id)
            last.events.append(event)
        else:
            self.parts.append(Part(topic, [entry_id], [event]))

    def each(self) -> Iterator[tuple[Topic, str, Event]]:
        """Everything that was taken, one by one."""
        for part in self.parts:
            for entry_id, event in zip(part.ids, part.events, strict=True):
                yield part.topic, entry_id, event
