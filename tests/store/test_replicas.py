"""Replicas that keep their tables in files of their own are told so."""

import asyncio
from pathlib import Path

import pytest

from shared.bus.redis_log import RedisLog
from shared.store.replicas import Replicas
from shared.store.store import Store
from tests.store.shelves import store


async def test_replicas_without_a_common_database_are_told(
    redis_log: RedisLog, shelves: Store
) -> None:
    """One line names them, the file and the mend; with PostgreSQL, or alone, nothing is said."""
    replicas = Replicas(shelves, redis_log, "feed")
    assert await replicas.complaint() is None
    await redis_log.heartbeat("feed", "one", 60_000)
    assert await replicas.complaint() is None
    await redis_log.heartbeat("feed", "two", 60_000)
    found = await replicas.complaint()
    if shelves.is_shared:
        assert found is None
        return
    assert found == (
        "2 replicas of toy are at work (one, two), but its tables are in the file "
        f"{shelves.address.where}, which other machines cannot see; set DATABASE_URL to a "
        "PostgreSQL that all of them use"
    )
    await redis_log.leave("feed", "two")
    assert await replicas.complaint() is None


async def test_who_is_gone_is_no_replica(redis_log: RedisLog, shelves: Store) -> None:
    """A process that was killed and replaced by another does not count for long."""
    await redis_log.heartbeat("feed", "new", 60_000)
    await redis_log.heartbeat("feed", "gone", 1)
    await asyncio.sleep(0.01)
    assert await Replicas(shelves, redis_log, "feed").complaint() is None


async def test_it_is_said_at_the_start_and_once(
    redis_log: RedisLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A warning in the log that names the mend."""
    shelves = store({"data_dir": tmp_path})
    for name in ("one", "two"):
        await redis_log.heartbeat("feed", name, 60_000)
    watching = asyncio.create_task(Replicas(shelves, redis_log, "feed").watch(0))
    said = ""
    try:
        async with asyncio.timeout(60):
            while "tables_not_shared" not in said:
                await asyncio.sleep(0.01)
                said += capsys.readouterr().out
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        await shelves.close()
    assert "set DATABASE_URL to a PostgreSQL" in said
    assert said.count("tables_not_shared") == 1
