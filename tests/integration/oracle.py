"""Holding a log against what its spines lead to."""

from collections.abc import Mapping

from shared.bus.redis_log import RedisLog
from shared.bus.topics import Topic
from shared.events import Event
from tests.integration.house import topic
from tideline.oracle import oracle

DERIVED: tuple[Topic, ...] = ("candle_closed", "level_computed", "signal_generated")


async def assert_equals_oracle(log: RedisLog, spine: Mapping[int, list[Event]]) -> int:
    """Every topic and partition is what the spine leads to; returns how many were compared."""
    found = {name: await topic(log, name) for name in DERIVED}
    compared = 0
    for partition, entries in spine.items():
        positions = [event.pos for event in entries]
        assert positions == list(range(1, len(entries) + 1))
        expected = oracle(entries).topics
        for name in DERIVED:
            assert found[name][partition] == expected[name], (name, partition)
            compared += len(expected[name])
    return compared
