"""What a service does for the log beside its stages, and what it tells of it."""

import asyncio
from functools import partial

from prometheus_client import generate_latest

from shared.bus.backpressure import Backpressure
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.readers import Readers
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from tests.bus.toys import TELL, close, heartbeat, tick, write
from tests.service.toys import ready, running, told, toy, until, was_told


async def groups(log: RedisLog, stream: str) -> dict[str, tuple[object, ...]]:
    """Each group's place, entries read, lag and entries pending."""
    return {
        str(group["name"]): (
            group["last-delivered-id"],
            group["entries-read"],
            group["lag"],
            group["pending"],
        )
        for group in await log.redis.xinfo_groups(stream)
    }


async def _holds(log: RedisLog, key: str, field: str, value: str) -> bool:
    return bool(await execute(log.redis, "HGET", key, field) == value)


async def test_a_stage_shows_its_progress_as_a_group(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """XINFO GROUPS has the right lag, nothing is pending, and a stream that is not yet there is."""
    service = toy(server_url, keys)
    async with running(service):
        await ready(service)
        await write(redis_log, [tick(1), tick(2)])
        checkpoint = keys.checkpoint(0, "candles")
        await until(lambda: _holds(redis_log, checkpoint, "n:tick", "2"))
        await service.upkeep.measure()
    last = (await redis_log.redis.xinfo_stream(keys.topic(0, "tick")))["last-generated-id"]
    assert await groups(redis_log, keys.topic(0, "tick")) == {"candles": (last, 2, 0, 0)}
    await write(redis_log, [tick(3)])
    assert await groups(redis_log, keys.topic(0, "tick")) == {"candles": (last, 2, 1, 0)}
    assert await groups(redis_log, keys.topic(1, "tick")) == {"candles": ("0-0", 0, 0, 0)}


async def test_a_group_that_shows_progress_is_no_reader(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Nothing is held back for it, and the list of readers does not have it."""
    service = toy(server_url, keys)
    async with running(service):
        await ready(service)
        await service.upkeep.measure()
    assert await Readers(redis_log.redis, keys).states() == []


async def test_figures_are_by_stage_and_partition(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Commits by reply, lease moves, dead letters, entries behind, event time behind, losses."""
    service = toy(server_url, keys)
    async with running(service):
        await ready(service)
        await write(redis_log, [tick(1), tick(2, 666), heartbeat(3)])
        await until(lambda: service._progress()[0].dead[0] == 1)
        # The heartbeat after it may be decided on in a commit of its own.
        await until(lambda: _holds(redis_log, keys.checkpoint(0, "candles"), "n:tick", "3"))
        await service.upkeep.measure()
        shown = generate_latest(service.metrics).decode()
        commits = service._progress()[0].verdicts[0, "OK"]
    at = ['stage="candles"', 'partition="0"']
    for name, labels, value in (
        ("commits_total", [*at, 'reply="OK"'], commits),
        ("lease_moves_total", [*at, 'move="gained"'], 1),
        ("dead_letters_total", at, 1),
        ("behind_entries", at, 0),
        ("event_lag_seconds", at, 0),
        ("lost_entries", at, 0),
    ):
        (line,) = (
            one
            for one in shown.splitlines()
            if one.startswith(f"tideline_stage_{name}{{") and all(label in one for label in labels)
        )
        assert float(line.rpartition(" ")[2]) == value


async def test_the_event_time_behind_is_the_markets(redis_log: RedisLog, keys: Keys) -> None:
    """Read up to second 1, written up to second 90: 89 s, whatever the clock on the wall says."""
    await write(redis_log, [tick(1), tick(90)])
    first = (await redis_log.redis.xinfo_stream(keys.topic(0, "tick")))["first-entry"][0]
    checkpoint = keys.checkpoint(0, "candles")
    await execute(redis_log.redis, "HSET", checkpoint, "tick", first, "n:tick", 1)
    lags = await RedisReads(redis_log.redis, keys).partition_lags("candles", [0, 1])
    assert (lags[0].behind, lags[0].event_s) == (1, 89.0)
    assert (lags[1].behind, lags[1].event_s) == (0, 0.0)


async def test_a_loss_is_told_once(server_url: str, keys: Keys, redis_log: RedisLog) -> None:
    """Somebody trimmed what the stage had not read: operators hear how much, and only once."""
    service = toy(server_url, keys, stage=TELL)
    async with running(service):
        await ready(service)
        await write(redis_log, [close(1, 1), *(tick(pos) for pos in range(2, 11))])
        await redis_log.redis.xtrim(keys.topic(0, "tick"), maxlen=4, approximate=False)
        for _ in range(2):
            await service.upkeep.measure()
    lost = [event.detail for event in await told(redis_log) if event.kind == "data_lost"]
    assert lost == ["stage signals lost 6 entries, trimmed before it read them"]


async def test_a_loss_that_a_stage_has_passed_is_told_whole_and_once(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """18 of 30 ticks went while nobody ran: the stage reads on at once, and all 18 are told.

    A start later it is not news any more, but still counted.
    """
    await write(redis_log, [tick(pos) for pos in range(1, 31)])
    await redis_log.redis.xtrim(keys.topic(0, "tick"), maxlen=12, approximate=False)
    checkpoint = keys.checkpoint(0, "candles")
    for read in ("12", "14"):
        service = toy(server_url, keys)
        async with running(service):
            await ready(service)
            await until(partial(_holds, redis_log, checkpoint, "n:tick", read))
            await service.upkeep.measure()
            assert service.upkeep.workers[0].progress.lost == 18
        await write(redis_log, [tick(31), tick(32)])
    lost = [event.detail for event in await told(redis_log) if event.kind == "data_lost"]
    assert lost == ["stage candles lost 18 entries, trimmed before it read them"]


async def test_who_writes_for_a_stage_that_is_not_there_says_so(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Red after two seconds, with the stage that is missing; operators are told."""
    service = toy(server_url, keys)
    pressure = Backpressure(RedisReads(redis_log.redis, keys), "candle_closed", behind_max=1)
    pressure._look_s = 0.1
    service.upkeep._pressures["candle_closed"] = pressure
    async with running(service):
        await ready(service)
        await write(redis_log, [close(1, 1)])
        why = (
            "candle_closed is held back in partition 0: stage indicators is 2 entries behind and "
            "does not move on; is it running?"
        )
        await until(lambda: service.not_ready() == [why])
        await until(lambda: was_told(redis_log, "stage_waiting"))
        # Who watches looks every second; the next look says nothing new.
        await asyncio.sleep(1.1)
    kinds = [(event.kind, event.detail) for event in await told(redis_log)]
    assert kinds[1:-1] == [("stage_waiting", "holds back candle_closed for stage indicators")]
