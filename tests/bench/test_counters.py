"""What the hot path asks of the server, counted by the server: no clock can make these fail."""

from typing import Any

from benchmarks.bench_runtime import Noop
from benchmarks.load_feed import Load
from benchmarks.spines import spines
from shared.bus.keys import Keys
from shared.bus.lease import LEASE_TTL_MS
from shared.bus.log import Commit, Lease
from shared.bus.outputs import outputs_of
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import StageWorker
from shared.bus.step import StageSpec
from shared.events import Event, Tick
from tests.clocks import Hand

BATCH = 500
BYTES_A_TICK_MAX = 70
# A tick has nine fields; sent with their names it would be nearly twice as much.
SENT_A_TICK_MAX = 115


def ticks(count: int) -> list[Event]:
    """So many, of one partition."""
    found: list[Event] = [e for e in spines(Load(0), count, 1)[0] if isinstance(e, Tick)]
    assert len(found) == count
    return found


async def calls(log: RedisLog) -> dict[str, int]:
    """How often each command was run, a script's own commands included."""
    stats: Any = await log.redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): int(one["calls"]) for name, one in stats.items()}


async def received(log: RedisLog) -> int:
    """Bytes the server has read."""
    stats: Any = await log.redis.info("stats")
    return int(stats["total_net_input_bytes"])


async def commit(log: RedisLog, lease: Lease, seq: int, events: list[Event]) -> None:
    """As the feed does it."""
    made = Commit(
        stage="feed",
        partition=lease.partition,
        token=lease.token,
        seq=seq,
        txid=f"{lease.token}/{seq}",
        checkpoint={},
        outputs=outputs_of(events),
    )
    assert await log.commit([made]) == ["OK"]


async def test_a_batch_of_ticks_is_written_in_one_round_trip(
    redis_log: RedisLog, keys: Keys
) -> None:
    """One script call for 500 ticks, whose field names are sent once and not 500 times."""
    lease = await redis_log.acquire("feed", 0, "w", LEASE_TTL_MS)
    assert isinstance(lease, Lease)
    events = ticks(2 * BATCH)
    await commit(redis_log, lease, 0, events[:BATCH])
    before, bytes_before = await calls(redis_log), await received(redis_log)
    await commit(redis_log, lease, 1, events[BATCH:])
    after, bytes_after = await calls(redis_log), await received(redis_log)
    assert after["evalsha"] - before["evalsha"] == 1
    assert after["xadd"] - before["xadd"] == BATCH
    assert (bytes_after - bytes_before) / BATCH <= SENT_A_TICK_MAX
    used = await redis_log.redis.memory_usage(keys.topic(0, "tick"), samples=0)
    assert used is not None
    assert used / (2 * BATCH) <= BYTES_A_TICK_MAX


async def test_a_stage_asks_twice_a_batch_for_all_its_partitions(
    redis_log: RedisLog, keys: Keys
) -> None:
    """One read and one pipelined commit a partition, however many ticks are in them."""
    batch = ticks(BATCH)
    for partition in range(keys.partitions):
        lease = await redis_log.acquire("feed", partition, "w", LEASE_TTL_MS)
        assert isinstance(lease, Lease)
        for seq in range(2):
            await commit(redis_log, lease, seq, batch)
    spec = StageSpec("candles", "tick", "candle_closed", lambda _: Noop())
    clock = Hand()
    worker = StageWorker(redis_log, spec, "w", clock)
    # The first turn takes the leases too, and teaches the server the scripts.
    await worker.turn()
    # Late enough to commit what nothing followed from, too early to renew leases.
    clock.seconds += 2 * worker.pace.hold_s
    before = await calls(redis_log)
    await worker.turn()
    after = await calls(redis_log)
    assert after["xread"] - before["xread"] == 1
    done = await redis_log.redis.hget(keys.checkpoint(0, "candles"), "n:tick")
    assert done == str(2 * BATCH)
    # A commit a partition: nothing a tick.
    assert after["evalsha"] - before["evalsha"] == keys.partitions
