"""What a stage is made of, seen from the service that writes one: pure and synchronous.

A stage is a recipe for the state machine of *one partition*. The runtime restores the machine from
the checkpoint, hands it events in order and commits what it returns together with its changed
state and the new offsets. The machine never sees a clock, a log or a network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.bus.topics import StageName, Topic
from shared.events.base import Event
from shared.events.ticks import Ticks

# More than half of what comes cannot be decided: that is no bad entry, that is a bad stage.
DEAD_SHARE = 0.5

State = Mapping[str, str]
"""A partition's saved state: one text per field, a field per symbol (or ``@name``)."""


class Step(Protocol):
    """The state machine of one partition.

    ``process`` must depend on nothing but the state it was restored from and the events it is
    given: the same events, cut into any batches, give the same outputs. It may raise on an event
    that cannot be decided: the runtime then restores the machine from the last commit, finds that
    event, and steps over it into the dead letters.
    """

    def process(self, events: Sequence[Event]) -> list[Event]:
        """Take the next events in order and return what follows from them, in order."""
        ...

    def changes(self) -> dict[str, str]:
        """The state fields changed since the last call; an empty text deletes a field."""
        ...


class Quick(Protocol):
    """A step that also takes ticks without having a model made of each.

    Ticks are nearly all there is on a spine; other events come through ``process``.
    """

    def ticks(self, run: Ticks) -> list[Event]:
        """Do with the next ticks exactly what ``process`` does with them as events."""
        ...


class Viewed(Protocol):
    """A step that also keeps something to be shown, such as the forming candle."""

    def views(self) -> dict[str, str]:
        """What is to be shown of the symbols touched since the last call, by symbol."""
        ...


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A stage's place in the log.

    ``primary`` is the topic that drives it. ``joined``, where given, is merged into it by
    position: at a ``close`` in the primary the stage waits until the joined topic's watermark
    reaches it, then sees that position's joined events *before* the close itself. ``output`` is
    the topic that its watermark goes to; outputs go where their own type says. ``restore``
    builds the machine; an empty state is a fresh start. It stops where more than ``dead_share`` of
    what it takes would be dead letters.
    """

    name: StageName
    primary: Topic
    output: Topic
    restore: Callable[[State], Step]
    joined: Topic | None = None
    dead_share: float = DEAD_SHARE
