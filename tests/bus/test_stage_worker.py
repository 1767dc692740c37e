"""Workers on the real server: shares, takeovers, and the same outputs whoever does the work."""

import asyncio

from shared.bus.keys import Keys
from shared.bus.log import START
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import StageWorker
from shared.bus.tasks import end
from shared.bus.topics import Topic
from shared.clock import SystemClock
from shared.events import Event, Watermark
from shared.events.codec import decode
from tests.bus.toys import COUNT, LEVEL, TELL, close, tick, write

PATIENCE_S = 60.0


async def events(log: RedisLog, topic: Topic, partition: int = 0) -> list[Event]:
    """Everything but watermarks in a partition's topic."""
    at = (partition, topic)
    found = await log.read({at: START}, count=10_000, block_ms=0)
    decoded = [event for _, event in decode(found.get(at, []))]
    assert all(isinstance(event, Event) for event in decoded)
    return [e for e in decoded if isinstance(e, Event) and not isinstance(e, Watermark)]


async def until(log: RedisLog, topic: Topic, count: int) -> list[Event]:
    """Wait until partition 0's topic holds so many events."""
    async with asyncio.timeout(PATIENCE_S):
        while len(found := await events(log, topic)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


def spine(minutes: int) -> list[Event]:
    """Three ticks and a close a minute."""
    found: list[Event] = []
    for minute in range(1, minutes + 1):
        for _ in range(3):
            found.append(tick(len(found) + 1))
        found.append(close(len(found) + 1, minute))
    return found


async def test_three_stages_follow_a_spine(redis_log: RedisLog) -> None:
    """Ticks, candles, levels and signals: each signal knows the level of the close before it."""
    workers = [StageWorker(redis_log, spec, "w", SystemClock()) for spec in (COUNT, LEVEL, TELL)]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    await write(redis_log, spine(10))
    signals = await until(redis_log, "signal_generated", 30)
    for worker in workers:
        worker.stop()
    await asyncio.gather(*tasks)
    assert [s.level_price for s in signals] == [3.0 * (i // 3) for i in range(30)]  # type: ignore[attr-defined]


async def test_second_worker_takes_its_share_and_gives_it_back(redis_log: RedisLog) -> None:
    """Two workers own two partitions each; when one stops the other has all four at once."""
    one = StageWorker(redis_log, COUNT, "one", SystemClock())
    two = StageWorker(redis_log, COUNT, "two", SystemClock())
    first = asyncio.create_task(one.run())
    await _own((one, 4))
    second = asyncio.create_task(two.run())
    await _own((one, 2), (two, 2))
    assert sorted(one.partitions + two.partitions) == [0, 1, 2, 3]
    two.stop()
    await second
    await _own((one, 4))
    one.stop()
    await first


async def _own(*shares: tuple[StageWorker, int]) -> None:
    """Wait until each worker has so many partitions, all of them at once."""
    async with asyncio.timeout(PATIENCE_S):
        while any(len(worker.partitions) != count for worker, count in shares):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_killed_worker_leaves_no_trace_in_the_output(
    redis_log: RedisLog, server_url: str, keys: Keys
) -> None:
    """A worker cancelled anywhere is replaced under the same name: no candle lost or doubled."""
    events_in = spine(200)
    feeding = asyncio.create_task(write(redis_log, events_in))
    for round_ in range(6):
        other = RedisLog(server_url, keys)
        worker = StageWorker(other, COUNT, "w", SystemClock())
        task = asyncio.create_task(worker.run())
        await asyncio.sleep(0.03 + 0.01 * round_)
        await end([task])
        await other.close()
    await feeding
    worker = StageWorker(redis_log, COUNT, "w", SystemClock())
    task = asyncio.create_task(worker.run())
    candles = await until(redis_log, "candle_closed", 200)
    worker.stop()
    await task
    assert [c.volume for c in candles] == [3.0 * minute for minute in range(1, 201)]  # type: ignore[attr-defined]
    assert [c.pos for c in candles] == [4 * minute for minute in range(1, 201)]
