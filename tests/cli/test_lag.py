"""How far each stage is can be read from outside."""

from shared.bus.connection import execute
from shared.bus.log import Commit, Held
from shared.bus.redis_log import RedisLog
from shared.bus.topics import StageName, Topic
from shared.clock import SystemClock
from tests.cli.events import tick
from tideline.lag import StageState, server_ms, stage_states, topic_states, under_way


async def append(log: RedisLog, topic: Topic, count: int, partition: int = 0) -> list[str]:
    """Add entries to a topic and return their ids."""
    fields = tick().wire()
    return [await log.append(partition, topic, fields) for _ in range(count)]


async def has_read(log: RedisLog, stage: StageName, offset: tuple[Topic, str, int]) -> None:
    """Let a stage commit that it has read a topic of partition 0 up to an entry."""
    lease = await log.acquire(stage, 0, "worker", 60_000)
    assert not isinstance(lease, Held)
    topic, entry, count = offset
    checkpoint = {topic: entry, f"n:{topic}": str(count)}
    seq = int(lease.checkpoint.get("seq", "0"))
    await log.commit([Commit(stage, 0, lease.token, seq, f"{stage}/{seq}", checkpoint)])


def of(states: list[StageState], stage: StageName) -> StageState:
    return next(one for one in states if one.stage == stage)


async def test_a_stage_that_has_read_everything_is_not_behind(redis_log: RedisLog) -> None:
    """Behind is what was written less what was read, over all partitions."""
    entries = await append(redis_log, "tick", 5)
    await append(redis_log, "tick", 2, partition=1)
    await has_read(redis_log, "candles", ("tick", entries[-1], 5))
    states = await stage_states(redis_log)
    assert of(states, "candles").behind == 2
    assert of(states, "signals").behind == 7


async def test_the_watermark_is_as_old_as_the_last_entry_read(redis_log: RedisLog) -> None:
    """A stage that lags shows since when; one that does not shows nothing."""
    key = redis_log.keys.topic(0, "tick")
    written_ms = await server_ms(redis_log) - 90_000
    long_ago = f"{written_ms}-0"
    await execute(redis_log.redis, "XADD", key, long_ago, *tick().wire())
    await has_read(redis_log, "candles", ("tick", long_ago, 1))
    assert of(await stage_states(redis_log), "candles").watermark_age_s == 0
    await append(redis_log, "tick", 1)
    age_s = of(await stage_states(redis_log), "candles").watermark_age_s
    assert 90 <= age_s <= (await server_ms(redis_log) - written_ms) / 1000


async def test_entries_trimmed_unread_are_lost(redis_log: RedisLog) -> None:
    """Real loss is a number, never a silent skip."""
    await append(redis_log, "tick", 10)
    await redis_log.redis.xtrim(redis_log.keys.topic(0, "tick"), maxlen=4, approximate=False)
    candles = of(await stage_states(redis_log), "candles")
    assert (candles.behind, candles.lost) == (4, 6)


async def test_nothing_is_under_way_once_every_stage_has_read_all(redis_log: RedisLog) -> None:
    """What a stage joins, and what waits for the feed, does not count."""
    entries = await append(redis_log, "tick", 3)
    await append(redis_log, "level_computed", 2)
    await append(redis_log, "inbox", 2)
    assert await under_way(redis_log) == 6
    stages: tuple[StageName, ...] = ("candles", "signals")
    for stage in stages:
        await has_read(redis_log, stage, ("tick", entries[-1], 3))
    assert await under_way(redis_log) == 0


async def test_topics_show_length_rate_and_age(redis_log: RedisLog) -> None:
    """A topic that nobody writes to has no rate and no newest entry."""
    began_ms = await server_ms(redis_log)
    await append(redis_log, "tick", 3)
    states = {one.topic: one for one in await topic_states(redis_log, SystemClock(), 0.05)}
    assert (states["tick"].length, states["tick"].per_second) == (3, 0.0)
    assert states["tick"].idle_s is not None
    assert states["tick"].idle_s <= (await server_ms(redis_log) - began_ms) / 1000
    assert (states["ops"].length, states["ops"].idle_s) == (0, None)
