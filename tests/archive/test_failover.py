"""A real failover to a replica that lags, as the archive sees it."""

from pathlib import Path

from services.ingest.adapters.recorder_partition import PartitionRecorder
from services.ingest.adapters.recorder_redis import RecorderRedis
from shared.archive.files import Shelf
from shared.archive.live import RedisLive
from shared.archive.reader import Archive
from shared.events.codec import decode
from tests.bus.test_failover import KEYS, House, caught_up, house, write
from tests.bus.toys import lease

__all__ = ["house"]
EVER = 2**53 - 1


async def positions(archive: Archive) -> list[int]:
    """What is read of partition 0, in order."""
    found: list[int] = []
    async for batch in archive.recorded("candle_closed", 0, 0, EVER):
        found += [event.pos for _, event in decode(batch) if hasattr(event, "pos")]
    return found


async def test_the_archive_goes_back_with_the_log(house: House, tmp_path: Path) -> None:
    """4..6 were recorded and then lost; 7..9 took their place. Readers see it before the recorder.

    What was lost is set aside, and a recorder that begins anew changes nothing of it.
    """
    shelf, live = Shelf(tmp_path, KEYS.namespace), RedisLive(house.log.redis, KEYS)
    archive = Archive(shelf, KEYS.partitions, live)
    redis = RecorderRedis(house.log.redis, KEYS)
    recorder = PartitionRecorder(shelf, live, 0, redis.states)
    await recorder.open()
    held = await lease(house.log)
    assert await write(house.log, held, 0, range(1, 4)) == "OK"
    assert sum((await recorder.record()).values()) == 3
    await caught_up(house)
    house.stream.hold_replies()
    assert await write(house.log, held, 1, range(4, 7)) == "OK"
    assert sum((await recorder.record()).values()) == 3
    assert await positions(archive) == [1, 2, 3, 4, 5, 6]
    await house.fall_back()
    assert await positions(archive) == [1, 2, 3]
    assert await write(house.log, await lease(house.log), 1, range(7, 10)) == "OK"
    assert await positions(archive) == [1, 2, 3, 7, 8, 9]
    while await recorder.record():
        assert await positions(archive) == [1, 2, 3, 7, 8, 9]
    alone = Archive(shelf, KEYS.partitions, None)
    assert await positions(alone) == [1, 2, 3, 7, 8, 9]
    recorder.close()
    assert Shelf(tmp_path / KEYS.namespace, "lost").months("candle_closed")
    again = PartitionRecorder(shelf, live, 0, redis.states)
    await again.open()
    assert await again.record() == {}
    assert await positions(alone) == [1, 2, 3, 7, 8, 9]
    again.close()
