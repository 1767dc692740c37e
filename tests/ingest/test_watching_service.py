"""Watchlists in a service at work: routes in one process, what follows them in others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr

from services.ingest.adapters.watched import FixedSet, Watched
from services.ingest.adapters.watching_wiring import keep_watchlists
from services.ingest.domain.instruments import InstrumentTable, built_in
from services.ingest.settings import IngestSection, IngestSettings
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.service.frame import Service
from tests.conftest import Database
from tests.ingest.served import served, web

PATIENCE_S = 30.0
DEFAULT = ("DAX", "NDX", "DJI", "EURUSD", "EURGBP")
TABLE = InstrumentTable(built_in())


def settings(url: str, keys: Keys, database: Database, **section: object) -> IngestSettings:
    return IngestSettings(
        redis_url=SecretStr(url),
        namespace=keys.namespace,
        partitions=keys.partitions,
        internal_port=0,
        ingest=IngestSection.model_validate(section),
        **database,  # type: ignore[arg-type]
    )


@asynccontextmanager
async def replica(made: IngestSettings) -> AsyncIterator[Watched]:
    """A running service without any feed; what a live one would follow."""
    service = Service("ingest", made)
    watched = keep_watchlists(service, made, TABLE)
    running = asyncio.create_task(service.run())
    try:
        yield watched
    finally:
        service.stop()
        await running


async def ops(log: RedisLog) -> list[tuple[str, str]]:
    """Kind and text of the events about what is watched."""
    entries = await execute(log.redis, "XRANGE", log.keys.ops(), "-", "+")
    found = [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in entries]
    return [(one["kind"], one["detail"]) for one in found if one["kind"] == "fallback"]


async def test_every_replica_follows_the_lists_at_once(
    server_url: str, redis_log: RedisLog, database: Database
) -> None:
    """A list that is made over HTTP in one process is watched by the others, and dropped again."""
    made = settings(server_url, redis_log.keys, database, feed="live")
    async with (
        replica(made) as one,
        replica(made) as other,
        served(web(redis_log, SystemClock(), database)) as api,
        asyncio.timeout(PATIENCE_S),
    ):
        for watched in (one, other):
            assert await watched.other_than(()) == DEFAULT
        await _add(api, "main", "VIX", "MESZ6")
        for watched in (one, other):
            assert await watched.other_than(DEFAULT) == ("VIX", "MESZ2026")
        await api.delete("/watchlists/main")
        for watched in (one, other):
            assert await watched.other_than(("VIX", "MESZ2026")) == DEFAULT
    told = await ops(redis_log)
    reason = "the default set is watched: nobody watches anything"
    assert sorted(set(told)) == [
        ("fallback", reason),
        ("fallback", "the watchlists count again"),
    ]


async def test_symbols_of_the_settings_are_followed_whatever_people_watch(
    server_url: str, redis_log: RedisLog, tmp_path: Path
) -> None:
    """And what people change is told all the same."""
    database: Database = {"data_dir": tmp_path}
    made = settings(server_url, redis_log.keys, database, feed="live", symbols=["VIX"])
    async with replica(made) as watched:
        assert isinstance(watched, FixedSet)
        assert watched.symbols == ("VIX",)


async def _add(api: httpx.AsyncClient, name: str, *symbols: str) -> None:
    reply = await api.post("/watchlists", json={"name": name, "symbols": symbols})
    assert reply.status_code == 201
