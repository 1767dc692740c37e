"""Watchlists in a service at work: routes in one process, what follows them in others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.ingest.adapters import watched as module
from services.ingest.adapters.watched import FixedSet, Watched
from services.ingest.adapters.watching_wiring import keep_watchlists
from services.ingest.app import build_app
from services.ingest.domain.instruments import InstrumentTable, built_in
from services.ingest.settings import IngestSection, IngestSettings
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import At
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.events import Event
from shared.events.base import moment
from shared.events.codec import decode
from shared.service.frame import Service
from tests.conftest import Database
from tests.ingest.live.stubs import Market, Stub, yahoo
from tests.ingest.live.stubs import served as served_by
from tests.ingest.served import served, web

PATIENCE_S = 100.0
DEFAULT = ("DAX", "NDX", "DJI", "EURUSD", "EURGBP")
TABLE = InstrumentTable(built_in())


@pytest.fixture
def no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a look by the clock would pass for one by the news."""
    monkeypatch.setattr(module, "LOOK_S", 10 * PATIENCE_S)


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


@pytest.mark.usefixtures("no_looks")
async def test_every_replica_follows_the_lists_at_once(
    server_url: str, redis_log: RedisLog, database: Database
) -> None:
    """A list that is made over HTTP in one process is watched by the others, and dropped again."""
    made = settings(server_url, redis_log.keys, database, feed="live")
    # A contract that trades still, on whatever day this runs.
    year = moment(SystemClock().now()).year + 1
    future = f"MESZ{year}"
    async with (
        replica(made) as one,
        replica(made) as other,
        served(web(redis_log, SystemClock(), database)) as api,
        asyncio.timeout(PATIENCE_S),
    ):
        for watched in (one, other):
            assert await watched.other_than(()) == DEFAULT
        await _add(api, "main", "VIX", f"MESZ{year % 100}")
        for watched in (one, other):
            assert await watched.other_than(DEFAULT) == ("VIX", future)
        await api.delete("/watchlists/main")
        for watched in (one, other):
            assert await watched.other_than(("VIX", future)) == DEFAULT
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


async def test_a_symbol_that_somebody_watches_comes_onto_the_spine(
    server_url: str, redis_log: RedisLog, tmp_path: Path
) -> None:
    """What it is stands before its first price; when nobody watches it, nobody asks for it."""
    async with served_by(Stub(Market()), yahoo) as provider:
        made = settings(
            server_url,
            redis_log.keys,
            {"data_dir": tmp_path},
            feed="live",
            start="2026-06-10T14:00:00Z",
            speed=60,
            holidays=False,
            yfinance={"base_url": provider.url},
            watchlists={"default": ["DJI"]},
        )
        service = build_app(made.model_copy(update={"public_port": 0}))
        running = asyncio.create_task(service.run())
        try:
            async with (
                served(web(redis_log, SystemClock(), {"data_dir": tmp_path})) as api,
                asyncio.timeout(PATIENCE_S),
            ):
                await _until(lambda: _is("^DJI" in provider.asked))
                await _add(api, "main", "NDX")
                await _until(lambda: _has_prices(redis_log, "NDX"))
                assert (await _spine(redis_log, "NDX"))[0] == "config"
                await api.delete("/watchlists/main")
                await _until(lambda: _is_left_alone(provider, "^NDX"))
        finally:
            service.stop()
            await running


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    while not await condition():  # noqa: ASYNC110 other processes would have no event either
        await asyncio.sleep(0.05)


async def _is(value: bool) -> bool:
    return value


async def _spine(log: RedisLog, symbol: str) -> list[str]:
    """Types of a symbol's entries, in order."""
    at: At = (partition_of(symbol, log.partitions), "tick")
    raw = await log.read({at: "0-0"}, count=10_000, block_ms=0)
    found = [event for _, event in decode(raw.get(at, [])) if isinstance(event, Event)]
    return [event.TYPE for event in found if event.symbol == symbol]


async def _has_prices(log: RedisLog, symbol: str) -> bool:
    return bool({"tick", "candle_in"} & set(await _spine(log, symbol)))


async def _is_left_alone(provider: Stub, name: str) -> bool:
    """Whether others are asked for, and this one is not."""
    before = len(provider.asked)
    while len(provider.asked) < before + 3:  # noqa: ASYNC110 the stub has no event
        await asyncio.sleep(0.05)
    return name not in provider.asked[before:]
