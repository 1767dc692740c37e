"""The topics of the log. All but ``ops`` are cut into partitions."""

from typing import Final, Literal, get_args

Topic = Literal[
    "inbox",
    "pushed",
    "tick",
    "candle_closed",
    "level_computed",
    "signal_generated",
    "alert_intent",
    "alert_fired",
    "dead_letter",
]
TOPICS: tuple[Topic, ...] = get_args(Topic)
# What people list, tail and subscribe to; the rest is the log's own housekeeping.
PUBLIC_TOPICS: tuple[str, ...] = (
    "tick",
    "candle_closed",
    "level_computed",
    "signal_generated",
    "alert_fired",
    "ops",
)
OPS_TOPIC: Final = "ops"

StageName = Literal["feed", "candles", "indicators", "signals", "notifier", "sender"]
STAGES: tuple[StageName, ...] = get_args(StageName)

# Who reads what: a topic is never trimmed past one of its stages.
STAGE_INPUTS: dict[StageName, tuple[Topic, ...]] = {
    "feed": ("inbox", "pushed"),
    "candles": ("tick",),
    "indicators": ("candle_closed",),
    "signals": ("tick", "level_computed"),
    "notifier": ("signal_generated",),
    "sender": ("alert_intent",),
}
