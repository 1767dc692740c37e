"""The recorder on a real server: registered, divided between replicas, and patient with disks."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from services.ingest.adapters.recorder import Recorder
from services.ingest.adapters.recorder_partition import Occupied, PartitionRecorder
from services.ingest.adapters.recorder_redis import READER, RecorderRedis
from shared.archive.files import ArchiveError, Shelf
from shared.archive.live import RedisLive
from shared.archive.places import read_place
from shared.archive.reader import Archive
from shared.archive.states import state_days, states
from shared.bus.log import Lease
from shared.bus.partitions import partition_of
from shared.bus.readers import Readers
from shared.bus.redis_log import RedisLog
from shared.bus.tasks import end
from shared.bus.trimming import Trimmer
from shared.events import CandleClosed, Tick
from shared.events.ops import Ops
from tests.archive.fakes import MINUTE, beat, candle, tick

ALWAYS = 0.0


def recorder(
    log: RedisLog, folder: Path, owned: Callable[[], list[int]] = lambda: [0, 1, 2, 3]
) -> Recorder:
    """A recorder that takes every look for due."""
    redis = RecorderRedis(log.redis, log.keys)
    live = RedisLive(log.redis, log.keys)
    return Recorder(Shelf(folder, log.keys.namespace), live, redis, owned, ALWAYS)


def archive(log: RedisLog, folder: Path) -> Archive:
    return Archive.at(folder, log.keys, log.redis)


async def write(log: RedisLog, *candles: CandleClosed) -> None:
    for one in candles:
        partition = partition_of(one.symbol, log.partitions)
        await log.append(partition, "candle_closed", one.wire())


def minutes(first: int, last: int, symbol: str = "DAX") -> list[CandleClosed]:
    return [candle(number, number * MINUTE, symbol) for number in range(first, last + 1)]


async def test_what_is_recorded_and_what_is_not_yet_are_read_as_one(
    redis_log: RedisLog, tmp_path: Path
) -> None:
    """Candles 1..3 are on disk, 4..5 in the log alone; a range is half-open."""
    made = recorder(redis_log, tmp_path)
    await write(redis_log, *minutes(1, 3), *minutes(1, 3, "FTSE"))
    await made.look()
    await write(redis_log, *minutes(4, 5))
    reads = archive(redis_log, tmp_path)
    assert await reads.candles("DAX", "1m", 0, 9 * MINUTE) == minutes(1, 5)
    assert await reads.candles("DAX", "1m", 2 * MINUTE, 5 * MINUTE) == minutes(2, 4)
    assert await reads.candles("DAX", "5m", 0, 9 * MINUTE) == []
    made.close()


async def test_what_the_log_has_forgotten_is_still_read(
    redis_log: RedisLog, tmp_path: Path
) -> None:
    """The server cuts nodes of a hundred entries: 300 are recorded, two nodes go."""
    made = recorder(redis_log, tmp_path)
    await write(redis_log, *minutes(1, 300))
    await made.look()
    partition = partition_of("DAX", redis_log.partitions)
    held = await redis_log.acquire("indicators", partition, "w", 3_000)
    assert isinstance(held, Lease)
    await redis_log.redis.xtrim(
        redis_log.keys.topic(partition, "candle_closed"), maxlen=50, approximate=False
    )
    await write(redis_log, *minutes(301, 303))
    reads = archive(redis_log, tmp_path)
    assert await reads.candles("DAX", "1m", 0, 999 * MINUTE) == minutes(1, 303)
    await made.look()
    assert await reads.candles("DAX", "1m", 0, 999 * MINUTE) == minutes(1, 303)
    made.close()


async def test_the_recorder_is_a_reader_that_trimming_knows(
    redis_log: RedisLog, tmp_path: Path
) -> None:
    """Registered in every topic; what it has recorded counts as read, what it has not is kept."""
    made = recorder(redis_log, tmp_path)
    await write(redis_log, *minutes(1, 250))
    await made.look()
    await write(redis_log, *minutes(251, 254))
    partition = partition_of("DAX", redis_log.partitions)
    found = await Readers(redis_log.redis, redis_log.keys).states()
    assert {one.topic for one in found if one.reader == READER} >= {"tick", "candle_closed"}
    (state,) = (one for one in found if one.topic == "candle_closed")
    assert (state.behind, state.lost, state.expelled) == (4, 0, ())
    await Trimmer(redis_log.redis, redis_log.keys).cut("candle_closed", [partition], 0)
    reads = archive(redis_log, tmp_path)
    assert await reads.candles("DAX", "1m", 0, 999 * MINUTE) == minutes(1, 254)
    made.close()


async def test_a_partition_has_one_recorder(redis_log: RedisLog, tmp_path: Path) -> None:
    """Two replicas own the same for a moment: the second records once the first lets go."""
    first, second = recorder(redis_log, tmp_path), recorder(redis_log, tmp_path)
    await write(redis_log, *minutes(1, 3))
    await first.look()
    shelf = Shelf(tmp_path, redis_log.keys.namespace)
    partition = partition_of("DAX", redis_log.partitions)
    reached = read_place(shelf, partition)
    await write(redis_log, *minutes(4, 6))
    await second.look()
    assert read_place(shelf, partition) == reached
    with pytest.raises(Occupied):
        PartitionRecorder(
            shelf,
            RedisLive(redis_log.redis, redis_log.keys),
            partition,
            RecorderRedis(redis_log.redis, redis_log.keys).states,
        )
    first.close()
    await second.look()
    assert read_place(shelf, partition) != reached
    reads = archive(redis_log, tmp_path)
    assert await reads.candles("DAX", "1m", 0, 9 * MINUTE) == minutes(1, 6)
    second.close()


async def test_partitions_are_divided_by_ownership(redis_log: RedisLog, tmp_path: Path) -> None:
    """Each records its own, and what moves is recorded by its new owner."""
    mine, other = [0, 1], [2, 3]
    one = recorder(redis_log, tmp_path, lambda: mine)
    two = recorder(redis_log, tmp_path, lambda: other)
    for partition in range(4):
        await redis_log.append(partition, "tick", tick(1, MINUTE).wire())
    await one.look()
    shelf = Shelf(tmp_path, redis_log.keys.namespace)
    assert {piece.partition for piece in shelf.pieces("tick", ["1970-01"])} == {0, 1}
    await two.look()
    mine, other = [0], [1, 2, 3]
    await redis_log.append(1, "tick", tick(2, MINUTE).wire())
    await one.look()
    await two.look()
    assert {piece.partition for piece in shelf.pieces("tick", ["1970-01"])} == {0, 1, 2, 3}
    alone = Archive.at(tmp_path, redis_log.keys, None)
    assert len(await alone.partition_table("tick", 1, (0, 9 * MINUTE))) == 2
    one.close()
    two.close()


async def test_a_folder_that_cannot_be_written_is_tried_again(
    redis_log: RedisLog, tmp_path: Path
) -> None:
    """A file stands where the archive belongs; it goes, and nothing is missing."""
    folder = tmp_path / "archive"
    folder.write_text("in the way")
    made = recorder(redis_log, folder)
    await write(redis_log, *minutes(1, 3))
    await made.look()
    found = {name: dict(rows) for name, rows in made.metrics()}
    assert found["tideline_recorder_failures_total"] == {(): 4.0}
    folder.unlink()
    await made.look()
    found = {name: dict(rows) for name, rows in made.metrics()}
    assert found["tideline_recorder_entries_total"] == {("candle_closed",): 3.0}
    assert await archive(redis_log, folder).candles("DAX", "1m", 0, 9 * MINUTE) == minutes(1, 3)
    made.close()


async def test_a_stop_in_the_middle_waits_for_what_is_being_written(
    redis_log: RedisLog, tmp_path: Path
) -> None:
    """Cancelled again and again while it records; the next one finds nothing half done."""
    await write(redis_log, *minutes(1, 400))
    for wait_s in (0.0, 0.005, 0.02, 0.05):
        made = recorder(redis_log, tmp_path)
        task = asyncio.create_task(made.run())
        await asyncio.sleep(wait_s)
        await end([task])
    last = recorder(redis_log, tmp_path)
    await last.look()
    found = await archive(redis_log, tmp_path).candles("DAX", "1m", 0, 999 * MINUTE)
    assert found == minutes(1, 400)
    last.close()


async def test_operational_events_are_kept_too(redis_log: RedisLog, tmp_path: Path) -> None:
    """They have no partitions and stand with the first."""
    made = recorder(redis_log, tmp_path)
    told = Ops(
        symbol="*", at=MINUTE, pos=0, service="ingest", worker="w", kind="server_start", detail="up"
    )
    await redis_log.redis.xadd(
        redis_log.keys.ops(),
        dict(zip(map(str, told.wire()[::2]), map(str, told.wire()[1::2]), strict=True)),
    )
    await made.look()
    reads = archive(redis_log, tmp_path)
    rows = await reads.partition_table("ops", 0, (0, 9 * MINUTE))
    assert rows.select("service", "kind", "detail").rows() == [("ingest", "server_start", "up")]
    made.close()


async def test_a_days_first_state_is_kept(redis_log: RedisLog, tmp_path: Path) -> None:
    """With the checkpoint that it belongs to; a second heartbeat of the day changes nothing."""
    held = await redis_log.acquire("candles", 2, "w", 3_000)
    assert isinstance(held, Lease)
    await redis_log.redis.hset(redis_log.keys.checkpoint(2, "candles"), "tick", "5-0")
    await redis_log.redis.hset(redis_log.keys.state(2, "candles"), "DAX", "open candle")
    made = recorder(redis_log, tmp_path)
    shelf = Shelf(tmp_path, redis_log.keys.namespace)
    day = 1440 * MINUTE
    for at, text in ((day, "first"), (day + MINUTE, "second"), (2 * day, "third")):
        await redis_log.redis.hset(redis_log.keys.state(2, "candles"), "DAX", text)
        await redis_log.append(2, "tick", beat(1, at).wire())
        await made.look()
    assert state_days(shelf, 2) == ["1970-01-02", "1970-01-03"]
    assert states(shelf, 2, "1970-01-02")["candles"] == ({"tick": "5-0"}, {"DAX": "first"})
    assert states(shelf, 2, "1970-01-03")["candles"] == ({"tick": "5-0"}, {"DAX": "third"})
    made.close()


async def test_the_spine_is_read_whole_and_in_order(redis_log: RedisLog, tmp_path: Path) -> None:
    """Ticks, heartbeats and positions; half of it on disk."""
    spine = [tick(1, MINUTE), beat(2, MINUTE), tick(3, MINUTE + 1), tick(4, 2 * MINUTE)]
    made = recorder(redis_log, tmp_path)
    for number, event in enumerate(spine):
        if number == 2:
            await made.look()
        await redis_log.append(3, "tick", event.wire())
    reads = archive(redis_log, tmp_path)
    found = [event async for batch in reads.spine(3, 0, 9 * MINUTE) for event in batch]
    assert found == spine
    ticks = [one for one in found if isinstance(one, Tick)]
    assert await reads.events("tick", "DAX", 0, 9 * MINUTE) == (
        ticks if partition_of("DAX", 4) == 3 else []
    )
    made.close()


async def test_a_foreign_file_is_named(redis_log: RedisLog, tmp_path: Path) -> None:
    """Nothing is read over it, for nobody knows what it means."""
    folder = tmp_path / redis_log.keys.namespace / "topic=candle_closed" / "month=1970-01"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ArchiveError, match=r"notes\.txt is no file of an archive; move it away"):
        await archive(redis_log, tmp_path).candles("DAX", "1m", 0, MINUTE)


def test_a_broken_place_is_named(tmp_path: Path) -> None:
    """With what to do about it."""
    path = tmp_path / "ns" / "places" / "000.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(ArchiveError, match=r"000\.json is broken .* restore it from a backup"):
        read_place(Shelf(tmp_path, "ns"), 0)
