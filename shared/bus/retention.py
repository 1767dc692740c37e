"""Trimming: topics are bounded, but never cut past one of our own stages."""

from collections.abc import Mapping, Sequence

from shared.bus.log import Log
from shared.bus.topics import STAGE_INPUTS, STAGES, StageName, Topic

# Entries kept a partition. A tick takes some 70 bytes: a million are 70 MB in the worst partition.
# The low-rate topics hold weeks, so that charts and late subscribers find history.
KEEP: Mapping[Topic, int] = {
    "inbox": 10_000,
    "tick": 500_000,
    "candle_closed": 200_000,
    "level_computed": 100_000,
    "signal_generated": 50_000,
    "alert_intent": 50_000,
    "alert_fired": 50_000,
    "dead_letter": 10_000,
}
# Written by each stage, and therefore trimmed by it.
STAGE_OUTPUTS: Mapping[StageName, tuple[Topic, ...]] = {
    "feed": ("tick", "inbox", "dead_letter"),
    "candles": ("candle_closed",),
    "indicators": ("level_computed",),
    "signals": ("signal_generated",),
    "notifier": ("alert_intent",),
    "sender": ("alert_fired",),
}


def readers(topic: Topic) -> list[StageName]:
    """Our own stages that read a topic."""
    return [stage for stage in STAGES if topic in STAGE_INPUTS[stage]]


async def trim(log: Log, stage: StageName, partitions: Sequence[int]) -> int:
    """Cut a stage's output topics to their bounds and return how many entries went.

    What one of our stages has still to read is left alone, however much it is.
    """
    return sum([await log.trim(topic, partitions, KEEP[topic]) for topic in STAGE_OUTPUTS[stage]])
