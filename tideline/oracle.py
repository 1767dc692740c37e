"""What a spine must lead to: the stages' own machines in one process, without a log.

The bus must write exactly this, whatever is killed and however the entries are cut into batches.
Numbers are not checked here, since the machines are the same; other tests hold them against other
people's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.indicators.domain.stage import STAGE as INDICATORS
from services.ingest.domain.candles import CANDLES
from services.signals.app import STAGE as SIGNALS
from shared.bus.step import StageSpec, Step
from shared.bus.topics import Topic
from shared.events import Event

STAGES: Mapping[Topic, StageSpec] = {
    "candle_closed": CANDLES,
    "level_computed": INDICATORS,
    "signal_generated": SIGNALS,
}


@dataclass(slots=True)
class Outcome:
    """One partition's events by topic, in order."""

    topics: dict[Topic, list[Event]] = field(
        default_factory=lambda: {topic: [] for topic in STAGES}
    )

    def add(self, topic: Topic, events: Iterable[Event]) -> None:
        """Append what a stage said."""
        self.topics[topic] += events


def oracle(spine: Iterable[Event]) -> Outcome:
    """Everything that follows from one partition's spine.

    Raises:
        Exception: what a machine raised on an event that it cannot decide.
    """
    candles, indicators, signals = (_fresh(spec) for spec in STAGES.values())
    outcome = Outcome()
    for entry in spine:
        closed = candles.process([entry])
        levels = indicators.process(closed)
        outcome.add("candle_closed", closed)
        outcome.add("level_computed", levels)
        # At a close, what follows from it stands before it: signals decide later prices by it.
        outcome.add("signal_generated", signals.process([*levels, entry]))
    return outcome


def _fresh(spec: StageSpec) -> Step:
    return spec.restore({})
