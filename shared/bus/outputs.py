"""What a commit appends: runs of entries of one kind, whose names are told once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from shared.bus.topics import Topic
from shared.events.base import Event, Scalar, wire_names, wire_values


@dataclass(frozen=True, slots=True)
class Outputs:
    """Entries of one topic and one kind, one after the other.

    ``head`` is what all of them begin with, names and values by turns: ``type``, ``v``. ``names``
    are those of their own fields, ``values`` their fields' values, entry after entry.
    """

    topic: Topic
    head: tuple[Scalar, ...]
    names: tuple[str, ...]
    values: Sequence[Scalar]

    @property
    def type(self) -> str:
        """The event type of all of them."""
        return str(self.head[1])

    def __len__(self) -> int:
        return len(self.values) // len(self.names)

    def entries(self) -> Iterator[list[Scalar]]:
        """Each entry's flat fields."""
        width = len(self.names)
        for first in range(0, len(self.values), width):
            own = self.values[first : first + width]
            pairs = zip(self.names, own, strict=True)
            yield [*self.head, *(part for pair in pairs for part in pair)]


def outputs_of(events: Iterable[Event], topic: Topic | None = None) -> list[Outputs]:
    """The events as what a commit appends, each to its own topic unless one is given."""
    return [_run(model, run, topic) for model, run in groupby(events, key=type)]


def _run(model: type[Event], events: Iterable[Event], topic: Topic | None) -> Outputs:
    own: Topic = model.TOPIC  # type: ignore[assignment]
    head = ("type", model.TYPE, "v", model.VERSION)
    return Outputs(topic or own, head, wire_names(model), wire_values(model, events))
