"""How much of a topic is kept, by number and age, and for whom more is."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.bus.topics import STAGE_INPUTS, STAGES, StageName, Topic

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept of one partition's topic.

    ``entries`` are kept at most and ``age_s`` long, what a stage has still to read as long as it
    takes. A reader that is no stage holds back up to ``held`` entries in all; one that is further
    behind is expelled: entries go although it has not read them, and are counted as its loss.
    """

    entries: int
    age_s: int
    held: int


def _bounds(entries: int, days: int) -> Bounds:
    # A reader may need as much again as is kept anyway: a night's outage costs it nothing, and
    # what it can cost the server is known.
    return Bounds(entries, days * _DAY_S, 2 * entries)


# A tick takes some 70 bytes: a million are 70 MB in the worst partition. The low-rate topics hold
# weeks, so that charts and late subscribers find history.
BOUNDS: Mapping[Topic, Bounds] = {
    "inbox": _bounds(10_000, 7),
    "pushed": _bounds(100_000, 1),
    "tick": _bounds(500_000, 7),
    "candle_closed": _bounds(200_000, 90),
    "level_computed": _bounds(100_000, 90),
    "signal_generated": _bounds(50_000, 90),
    "alert_intent": _bounds(50_000, 30),
    "alert_fired": _bounds(50_000, 90),
    "dead_letter": _bounds(10_000, 90),
}
# The ops topic is small and read by people: some weeks of starts, stops and stale feeds.
OPS_KEPT = 10_000
# Written by each stage, and therefore trimmed by it.
STAGE_OUTPUTS: Mapping[StageName, tuple[Topic, ...]] = {
    "feed": ("tick", "inbox", "pushed", "dead_letter"),
    "candles": ("candle_closed",),
    "indicators": ("level_computed",),
    "signals": ("signal_generated",),
    "notifier": ("alert_intent",),
    "sender": ("alert_fired",),
}


def readers(topic: Topic) -> list[StageName]:
    """Our own stages that read a topic."""
    return [stage for stage in STAGES if topic in STAGE_INPUTS[stage]]
