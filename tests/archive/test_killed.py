"""The service itself, killed with signal 9 while it records: what is read is what the log holds."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.archive.files import Shelf
from shared.archive.live import RECORDED
from shared.archive.places import Place, read_place
from shared.archive.reader import Archive
from shared.bus.connection import execute
from shared.bus.redis_log import RedisLog
from shared.bus.topics import OPS_TOPIC, TOPICS
from shared.events.codec import Decoded, decode

KILLS = 3
EVER = 2**53 - 1


@asynccontextmanager
async def ingest(log: RedisLog, url: str, folder: Path) -> AsyncIterator[Process]:
    """The service over a simulated market an hour of which takes a second, recording all along."""
    environment = {
        "REDIS_URL": url,
        "TIDELINE_NAMESPACE": log.keys.namespace,
        "TIDELINE_PARTITIONS": str(log.partitions),
        "TIDELINE_DATA_DIR": str(folder),
        "TIDELINE_INTERNAL_PORT": "0",
        "TIDELINE_PUBLIC_PORT": "0",
        "TIDELINE_INGEST__FEED": "demo",
        "TIDELINE_INGEST__SPEED": "3600",
        "TIDELINE_INGEST__RECORDER": "true",
        "TIDELINE_INGEST__RECORDER_EVERY_S": "0.05",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.ingest", env=os.environ | environment, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def places(shelf: Shelf, partitions: int) -> list[Place]:
    return [read_place(shelf, one) for one in range(partitions)]


async def moved(shelf: Shelf, partitions: int, before: list[Place]) -> None:
    """Wait until a partition is recorded further than it was."""
    # A start imports all that the service has, and a busy machine takes its time for that.
    async with asyncio.timeout(90):
        while places(shelf, partitions) == before:  # noqa: ASYNC110 a file has no event
            await asyncio.sleep(0.01)


async def held(log: RedisLog, partition: int, topic: str) -> list[Decoded]:
    """All that the log holds of a topic."""
    keys = {one: log.keys.topic(partition, one) for one in TOPICS} | {OPS_TOPIC: log.keys.ops()}
    return decode(await execute(log.redis, "XRANGE", keys[topic], "-", "+"))


@pytest.mark.timeout(300)
async def test_reads_equal_the_log_after_every_kill(
    redis_log: RedisLog, server_url: str, tmp_path: Path
) -> None:
    """Each time while something new has just been recorded; most of it is on disk, none doubled."""
    shelf = Shelf(tmp_path / "archive", redis_log.keys.namespace)
    archive = Archive.at(tmp_path / "archive", redis_log.keys, redis_log.redis)
    stored = Archive.at(tmp_path / "archive", redis_log.keys, None)
    for number in range(KILLS):
        before = places(shelf, redis_log.partitions)
        async with ingest(redis_log, server_url, tmp_path) as process:
            await moved(shelf, redis_log.partitions, before)
            await asyncio.sleep(number * 0.07)
            process.kill()
            await process.wait()
        for topic in RECORDED:
            for partition in range(1 if topic == OPS_TOPIC else redis_log.partitions):
                found = [
                    one
                    async for batch in archive.recorded(topic, partition, 0, EVER)
                    for one in batch
                ]
                assert decode(found) == await held(redis_log, partition, topic)
    ticks = [await stored.partition_table("tick", one, (0, EVER)) for one in range(4)]
    assert sum(map(len, ticks)) > 0
