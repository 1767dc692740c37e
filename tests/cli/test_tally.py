"""A run is counted from its streams, and alerts are timed by the entries' own ids."""

from redis.asyncio import Redis

from shared.bus.connection import execute
from shared.bus.redis_log import RedisLog
from shared.bus.topics import Topic
from shared.events import Event
from tests.cli.events import alert, candle_closed, level_computed, one_of_each, signal, tick
from tideline.tally import Tally, percentile


async def write(log: RedisLog, event: Event, ms: int, partition: int = 0) -> None:
    """Put an event on its topic at a given server time."""
    topic: Topic = event.TOPIC  # type: ignore[assignment]
    redis: Redis = log.redis
    await execute(redis, "XADD", log.keys.topic(partition, topic), f"{ms}-*", *event.wire())


async def test_events_are_counted_by_type(redis_log: RedisLog) -> None:
    """What shares a topic is told apart: only ticks count as ticks, only candles as candles."""
    for ms, event in enumerate(one_of_each(), start=1):
        if event.TOPIC in {"tick", "candle_closed", "level_computed", "dead_letter"}:
            await write(redis_log, event, ms)
    tally = Tally(redis_log)
    await tally.read_on()
    found = tally.totals
    assert (found.ticks, found.candles, found.levels, found.dead_letters) == (1, 1, 1, 1)
    assert found.idle == ["signals", "alerts"]


async def test_reading_on_counts_nothing_twice(redis_log: RedisLog) -> None:
    """Each reading begins where the last one ended."""
    tally = Tally(redis_log)
    for n in range(3):
        await write(redis_log, tick(n=n), 10 + n)
        await tally.read_on()
    assert tally.totals.ticks == 3


async def test_latency_is_from_tick_to_alert(redis_log: RedisLog) -> None:
    """Tick 7 of 400 was written at 1007 ms and the alert that follows from it at 1450 ms."""
    for pos in range(1, 401):
        await write(redis_log, tick(pos=pos, n=pos), 1000 + pos)
    fired = signal(pos=7)
    await write(redis_log, fired, 1445)
    await write(redis_log, alert(fired), 1450)
    tally = Tally(redis_log)
    await tally.read_on()
    assert (tally.totals.p50_ms, tally.totals.p99_ms) == (443, 443)


async def test_latency_is_that_of_the_console(redis_log: RedisLog) -> None:
    """Other channels wait for the outside world, which is not ours to time."""
    fired = signal(pos=1)
    await write(redis_log, tick(pos=1), 100)
    await write(redis_log, fired, 101)
    await write(redis_log, alert(fired, channel="webhook"), 900)
    await write(redis_log, alert(fired), 903)
    tally = Tally(redis_log)
    await tally.read_on()
    assert (tally.totals.alerts, tally.totals.p50_ms, tally.totals.p99_ms) == (2, 803, 803)


async def test_a_signal_of_a_trimmed_tick_is_counted_but_not_timed(redis_log: RedisLog) -> None:
    """Nothing is guessed where the spine's entry is gone."""
    fired = signal(pos=1)
    await write(redis_log, fired, 101)
    await write(redis_log, alert(fired), 103)
    tally = Tally(redis_log)
    await tally.read_on()
    assert (tally.totals.alerts, tally.totals.p50_ms) == (1, None)


async def test_a_run_in_which_every_stage_worked_is_not_idle(redis_log: RedisLog) -> None:
    """One event of each type is enough."""
    fired = signal(pos=1)
    for event in (tick(pos=1), candle_closed(), level_computed(), fired, alert(fired)):
        await write(redis_log, event, 100)
    tally = Tally(redis_log)
    await tally.read_on()
    assert (tally.totals.idle, tally.totals.sentence) == (
        [],
        "1 ticks, 1 candles, 1 levels, 1 signals, 1 alerts",
    )


def test_percentiles_are_by_nearest_rank() -> None:
    """Of 15, 20, 35, 40, 50 the median is 35 and the 99th percentile 50."""
    values = [40, 15, 50, 35, 20]
    assert [percentile(values, share) for share in (0.05, 0.3, 0.4, 0.5, 0.99)] == [
        15,
        20,
        20,
        35,
        50,
    ]
    assert percentile([], 0.5) is None
