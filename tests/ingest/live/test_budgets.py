"""Credits on the real server: shared, counted by minute and day, set right by the provider."""

from services.ingest.adapters.budgets import SharedBudget
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from tests.ingest.lines import at


def budget(log: RedisLog, keys: Keys, minute: int = 8, day: int | None = None) -> SharedBudget:
    return SharedBudget(log.redis, keys, "twelvedata", minute, day)


async def test_a_minute_has_so_many_credits_for_all_replicas(
    redis_log: RedisLog, keys: Keys
) -> None:
    """Two replicas share eight; who comes too late waits for the next minute."""
    one, other = budget(redis_log, keys), budget(redis_log, keys)
    assert await one.reserve(5, at("14:00:10")) == (5, 0.0)
    assert await other.reserve(5, at("14:00:15")) == (3, 45.0)
    assert await one.reserve(1, at("14:00:59")) == (0, 1.0)
    assert await one.reserve(8, at("14:01:00")) == (8, 0.0)


async def test_a_day_has_so_many_credits(redis_log: RedisLog, keys: Keys) -> None:
    """The day's end is midnight UTC."""
    purse = budget(redis_log, keys, minute=8, day=10)
    assert await purse.reserve(8, at("22:59")) == (8, 0.0)
    assert await purse.reserve(8, at("23:00")) == (2, 3600.0)
    assert await purse.reserve(1, at("23:59:59")) == (0, 1.0)
    assert await purse.reserve(3, at("2026-06-11 00:00")) == (3, 0.0)


async def test_the_provider_knows_better(redis_log: RedisLog, keys: Keys) -> None:
    """Credits that others used with the same key count, and so does a smaller plan."""
    purse = budget(redis_log, keys, minute=55)
    assert await purse.reserve(2, at("14:00:00")) == (2, 0.0)
    await purse.settle(7, 1, at("14:00:01"))
    assert await purse.reserve(2, at("14:00:02")) == (1, 58.0)
    assert await purse.reserve(20, at("14:01:00")) == (8, 60.0)
    await purse.settle(1, None, at("14:01:30"))
    await purse.settle(None, None, at("14:01:30"))
    assert await purse.reserve(1, at("14:01:30")) == (0, 30.0)


async def test_a_plan_of_nothing_is_no_plan(redis_log: RedisLog, keys: Keys) -> None:
    """None used and none left says that the minute is over, not that there never will be any."""
    purse = budget(redis_log, keys)
    await purse.settle(0, 0, at("14:00:01"))
    assert await purse.reserve(2, at("14:01:00")) == (2, 0.0)


async def test_a_refusal_holds_for_all_replicas(redis_log: RedisLog, keys: Keys) -> None:
    """Until the provider's own time, or midnight where it speaks of the day."""
    one, other = budget(redis_log, keys), budget(redis_log, keys)
    await one.block(90.0, at("14:00:00"))
    assert await other.reserve(1, at("14:01:00")) == (0, 30.0)
    assert await other.reserve(1, at("14:01:30")) == (1, 0.0)
    await one.block(86_400.0, at("23:00"))
    assert await other.reserve(1, at("23:30")) == (0, 1800.0)
