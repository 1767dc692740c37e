"""Trimming: topics are bounded, but never cut past one of our own stages."""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from shared.bus.keys import Keys
from shared.bus.redis_reads import RedisReads
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


async def trim(redis: Redis, keys: Keys, stage: StageName, partitions: Sequence[int]) -> int:
    """Cut a stage's output topics to their bounds and return how many entries went.

    A topic one of whose stages is further behind than the bound is left alone: that stage holds
    the others back until it has caught up.
    """
    removed = 0
    for topic in STAGE_OUTPUTS[stage]:
        held = await _held(RedisReads(redis, keys), topic)
        pipe = redis.pipeline(transaction=False)
        for partition in partitions:
            if held[partition] < KEEP[topic]:
                pipe.xtrim(keys.topic(partition, topic), maxlen=KEEP[topic], approximate=True)
        removed += sum(await pipe.execute())
    return removed


async def _held(reads: RedisReads, topic: Topic) -> list[int]:
    """Per partition, how many entries its slowest stage still needs."""
    held = [0] * reads.partitions
    for stage in readers(topic):
        rows = (await reads.lag(stage))[topic]
        held = [max(most, row.behind) for most, row in zip(held, rows, strict=True)]
    return held
