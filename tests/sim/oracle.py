"""What a spine must lead to: the chain in one process, event by event, without a log."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.bus.step import StageSpec
from shared.bus.topics import StageName, Topic
from shared.events import Close, Event

Undecided = tuple[StageName, Event]
"""A stage, and an event that it cannot decide on."""


@dataclass(slots=True)
class Expected:
    """What one partition's topics must hold, and what must have gone to the dead letters."""

    topics: dict[Topic, list[Event]] = field(default_factory=dict)
    undecided: Counter[Undecided] = field(default_factory=Counter)


class _Stage:
    """A machine that forgets whatever it cannot decide, by beginning again without it."""

    def __init__(self, spec: StageSpec, expected: Expected) -> None:
        self._spec = spec
        self._step = spec.restore({})
        self._decided: list[Event] = []
        self._undecided = expected.undecided
        self._outputs = expected.topics.setdefault(spec.output, [])

    def decide(self, events: Iterable[Event]) -> Sequence[Event]:
        outputs: list[Event] = []
        for event in events:
            try:
                outputs += self._step.process([event])
                self._decided.append(event)
            except ValueError:
                self._undecided[self._spec.name, event] += 1
                self._step = self._spec.restore({})
                self._step.process(self._decided)
        self._outputs += outputs
        return outputs


def expect(spine: Iterable[Event], chain: Sequence[StageSpec]) -> Expected:
    """Everything that follows from one partition's spine, by way of candles, levels and signals.

    What follows from a close stands before it in the eyes of the signals.
    """
    expected = Expected()
    candles, levels, signals = (_Stage(spec, expected) for spec in chain)
    for event in spine:
        found = levels.decide(candles.decide([event]))
        assert not found or isinstance(event, Close)
        signals.decide([*found, event])
    return expected
