"""A writer waits for the slowest of our stages, and says for which."""

import asyncio

from shared.bus.backpressure import Backpressure
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import Commit, Lease
from shared.bus.mirror import Mirror
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.stage_worker import StageWorker
from shared.bus.tasks import end
from shared.bus.topics import StageName, Topic
from shared.clock import SystemClock
from tests.bus.toys import COUNT, TTL_MS, close, tick, write

PATIENCE_S = 60.0


async def has_read(log: RedisLog, stage: StageName, topic: Topic, count: int) -> None:
    """Let a stage commit that it has read so many of partition 0's entries."""
    held = await log.acquire(stage, 0, "w", TTL_MS)
    assert isinstance(held, Lease)
    checkpoint = {f"n:{topic}": str(count)}
    assert await log.commit(
        [Commit(stage, 0, held.token, held.seq, f"{held.token}", checkpoint)]
    ) == ["OK"]


async def reached(log: RedisLog, stage: StageName) -> str | None:
    """The last of partition 0's ticks that a stage has decided on."""
    place = await execute(log.redis, "HGET", log.keys.checkpoint(0, stage), "tick")
    return None if place is None else str(place)


async def written(worker: StageWorker, count: int) -> None:
    """Wait until a worker has written so many candles."""
    async with asyncio.timeout(PATIENCE_S):
        while worker.progress.outputs["candle_closed"] < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_the_slowest_stage_holds_the_writer_back(redis_log: RedisLog, keys: Keys) -> None:
    """Candles have read all 12 ticks, signals none: more than ten behind is too far."""
    await write(redis_log, [tick(pos) for pos in range(1, 13)])
    await has_read(redis_log, "candles", "tick", 12)
    pressure = Backpressure(RedisReads(redis_log.redis, keys), "tick", behind_max=10)
    await pressure.look()
    assert [pressure.holds(partition) for partition in range(4)] == [True, False, False, False]
    (slowest,) = pressure.stuck(0).values()
    assert (slowest.stage, slowest.behind) == ("signals", 12)
    await has_read(redis_log, "signals", "tick", 2)
    await pressure.look()
    assert not pressure.holds(0)


async def test_a_stage_that_moves_on_is_not_stuck(redis_log: RedisLog, keys: Keys) -> None:
    """Being waited for is daily life; standing still is an alarm."""
    await write(redis_log, [tick(pos) for pos in range(1, 31)])
    await has_read(redis_log, "candles", "tick", 30)
    pressure = Backpressure(RedisReads(redis_log.redis, keys), "tick", behind_max=10)
    await pressure.look()
    await asyncio.sleep(0.1)
    await pressure.look()
    (standing,) = pressure.stuck(0.1).values()
    await has_read(redis_log, "signals", "tick", 10)
    await pressure.look()
    assert pressure.holds(0)
    # Counted anew; how long a look takes is the machine's affair.
    (moved,) = pressure.stuck(0).values()
    assert moved.since >= standing.since + 0.1
    assert pressure.stuck(3_600) == {}


async def test_what_was_trimmed_by_hand_holds_nobody_back_for_ever(
    redis_log: RedisLog, keys: Keys
) -> None:
    """18 of 30 ticks are gone unread; once the other 12 are read nothing is left to wait for."""
    await write(redis_log, [tick(pos) for pos in range(1, 31)])
    await has_read(redis_log, "signals", "tick", 30)
    stream = keys.topic(0, "tick")
    assert await redis_log.redis.xtrim(stream, maxlen=12, approximate=False) == 18
    reads = RedisReads(redis_log.redis, keys)
    pressure = Backpressure(reads, "tick", behind_max=10)
    await pressure.look()
    assert pressure.holds(0)
    worker = StageWorker(redis_log, COUNT, "w", SystemClock())
    last = (await redis_log.redis.xinfo_stream(stream))["last-generated-id"]
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await reached(redis_log, "candles") != last:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        await end([running])
    assert (await reads.lag("candles"))["tick"][0].behind == 0
    await pressure.look()
    assert not pressure.holds(0)
    await Mirror(redis_log.redis, keys).show("candles", [0])
    (group,) = await redis_log.redis.xinfo_groups(stream)
    assert (group["name"], group["lag"]) == ("candles", 0)


async def test_a_stage_waits_for_the_stage_after_it(redis_log: RedisLog, keys: Keys) -> None:
    """Nobody reads candles: none is written beyond the limit, and none is missing afterwards."""
    pressure = Backpressure(RedisReads(redis_log.redis, keys), "candle_closed", behind_max=3)
    worker = StageWorker(redis_log, COUNT, "w", SystemClock(), pressure)
    running = asyncio.create_task(worker.run())
    stream = keys.topic(0, "candle_closed")
    try:
        for minute in (1, 2):
            await write(redis_log, [close(minute, minute)])
            await written(worker, minute)
            await pressure.look()
        for minute in range(3, 11):
            await write(redis_log, [close(minute, minute)])
            await asyncio.sleep(0.05)
        # A close writes a candle and a watermark: two minutes are four entries.
        assert await redis_log.redis.xlen(stream) == 4
        await has_read(redis_log, "indicators", "candle_closed", 4)
        await pressure.look()
        await written(worker, 10)
    finally:
        await end([running])
    assert worker.progress.outputs["candle_closed"] == 10
