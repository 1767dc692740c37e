"""What feeds follow: the union of watchlists at once, the default set without them, and back."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from services.ingest.adapters import watched as module
from services.ingest.adapters.news import News
from services.ingest.adapters.tables import OUTBOX, store
from services.ingest.adapters.watched import FixedSet, WatchedByUsers
from services.ingest.adapters.watchlists import CHANGED, Watchlists
from services.ingest.domain.watching import Budget, Count
from shared.bus.connection import execute
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.service.settings import ServiceSettings
from shared.store.errors import StoreAway
from shared.store.outbox import Outbox, Relay
from shared.store.store import Store
from tests.conftest import Database

PATIENCE_S = 100.0
BUDGET = Budget(4, ("DAX", "EURUSD"))


@pytest.fixture
def no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a look by the clock would pass for one by the news."""
    monkeypatch.setattr(module, "LOOK_S", 10 * PATIENCE_S)


def no_problem(_: str) -> None:
    return None


class Desk:
    """Wishes that can be changed, and taken away; what operators are told."""

    def __init__(self) -> None:
        self.wishes: dict[str, int] = {}
        self.outage: str | None = None
        self.told: list[str] = []
        self.bell = asyncio.Event()
        self.looks = 0
        self.looked_again = asyncio.Event()

    async def counts(self) -> Sequence[Count]:
        self.looks += 1
        if self.looks > 1:
            self.looked_again.set()
        if self.outage is not None:
            raise StoreAway(self.outage)
        return [Count(symbol, users, 0) for symbol, users in self.wishes.items()]

    async def announce(self, detail: str) -> None:
        self.told.append(detail)

    async def hear(self) -> AsyncIterator[None]:
        while True:
            await self.bell.wait()
            self.bell.clear()
            yield

    def watched(self) -> WatchedByUsers:
        return WatchedByUsers(self.counts, BUDGET, no_problem, self.announce, self.hear)


async def test_what_people_watch_is_watched() -> None:
    """Nothing is told to operators, for nothing is amiss."""
    desk = Desk()
    desk.wishes = {"NDX": 1, "VIX": 3}
    watched = desk.watched()
    assert list(watched.symbols) == []
    await watched.look()
    assert list(watched.symbols) == ["VIX", "NDX"]
    assert desk.told == []


async def test_an_outage_is_told_once_and_ends_by_itself() -> None:
    """The default set joins what was watched; however the outage words itself, it is one."""
    desk = Desk()
    desk.wishes = {"NDX": 1}
    watched = desk.watched()
    await watched.look()
    for reason in ("gone", "still gone"):
        desk.outage = reason
        await watched.look()
        assert list(watched.symbols) == ["DAX", "EURUSD", "NDX"]
    desk.outage = None
    desk.wishes = {"NDX": 1, "VIX": 1}
    await watched.look()
    assert list(watched.symbols) == ["NDX", "VIX"]
    assert desk.told == ["the default set is watched: gone", "the watchlists count again"]


async def test_nothing_watched_is_the_default_set() -> None:
    """From the start, until somebody watches something."""
    desk = Desk()
    watched = desk.watched()
    await watched.look()
    await watched.look()
    assert list(watched.symbols) == ["DAX", "EURUSD"]
    desk.wishes = {"VIX": 1}
    await watched.look()
    assert list(watched.symbols) == ["VIX"]
    assert desk.told == [
        "the default set is watched: nobody watches anything",
        "the watchlists count again",
    ]


async def test_a_feed_is_told_of_other_symbols_and_not_of_another_order() -> None:
    """Whoever waits wakes up when a symbol comes or goes."""
    desk = Desk()
    desk.wishes = {"NDX": 2, "VIX": 1}
    watched = desk.watched()
    waiting = [asyncio.create_task(watched.other_than(known)) for known in ((), ("VIX", "NDX"))]
    await watched.look()
    assert await waiting[0] == ("NDX", "VIX")
    desk.wishes = {"NDX": 1, "VIX": 2}
    await watched.look()
    await asyncio.sleep(0)
    assert not waiting[1].done()
    desk.wishes = {"VIX": 2}
    await watched.look()
    assert await waiting[1] == ("VIX",)


async def test_a_fixed_set_never_changes() -> None:
    """Who asks for a change waits for ever, who knows nothing is told."""
    fixed = FixedSet(["DAX", "NDX"])
    assert await fixed.other_than(()) == ("DAX", "NDX")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await fixed.other_than(("NDX", "DAX"))


@pytest.mark.usefixtures("no_looks")
async def test_a_change_counts_at_once(redis_log: RedisLog, database: Database) -> None:
    """Somebody else's process changes a list; this one is told by the outbox, not by looking."""
    here, there = (_tables(database) for _ in range(2))
    news = News(redis_log.redis, redis_log.keys)
    relay = Relay(there, Outbox(OUTBOX, SystemClock()), {CHANGED: news.send})
    desk = Desk()
    lists = Watchlists(here, SystemClock())
    watched = WatchedByUsers(lists.counts, BUDGET, no_problem, desk.announce, news.hear)
    tasks = [asyncio.create_task(one) for one in (watched.run(), relay.run())]
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await watched.other_than(()) == ("DAX", "EURUSD")
            theirs = Watchlists(there, SystemClock())
            await theirs.create("ann", "main", ["VIX"])
            assert await watched.other_than(("DAX", "EURUSD")) == ("VIX",)
            await theirs.put("ann", "main", "NDX", is_active=True)
            assert set(await watched.other_than(("VIX",))) == {"VIX", "NDX"}
            await theirs.switch("ann", "main", "VIX", is_active=False)
            assert await watched.other_than(("VIX", "NDX")) == ("NDX",)
    finally:
        await _end(tasks)
        await here.close()
        await there.close()


@pytest.mark.usefixtures("no_looks")
async def test_news_are_heard_again_after_a_lost_connection(redis_log: RedisLog) -> None:
    """Listening begins anew, with a look at what was missed."""
    news, desk = News(redis_log.redis, redis_log.keys), Desk()
    watched = WatchedByUsers(desk.counts, BUDGET, no_problem, desk.announce, news.hear)
    running = asyncio.create_task(watched.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await watched.other_than(())
            # Whoever began to listen has looked once more, so what follows is nobody's first look.
            await desk.looked_again.wait()
            desk.wishes = {"VIX": 1}
            assert await execute(redis_log.redis, "CLIENT", "KILL", "TYPE", "pubsub") == 1
            assert await watched.other_than(("DAX", "EURUSD")) == ("VIX",)
            desk.wishes = {"NDX": 1}
            await news.send("ann")
            assert await watched.other_than(("VIX",)) == ("NDX",)
    finally:
        await _end([running])


async def test_a_change_that_nobody_tells_of_counts_soon(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the news are lost, the tables are looked at every now and then."""
    monkeypatch.setattr(module, "LOOK_S", 0.1)
    tables = _tables(database)
    lists, desk = Watchlists(tables, SystemClock()), Desk()
    watched = WatchedByUsers(lists.counts, BUDGET, no_problem, desk.announce, desk.hear)
    running = asyncio.create_task(watched.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await watched.other_than(())
            await lists.create("ann", "main", ["VIX"])
            assert await watched.other_than(("DAX", "EURUSD")) == ("VIX",)
    finally:
        await _end([running])
        await tables.close()


def test_a_change_counts_within_a_minute_at_the_latest() -> None:
    """However its news get lost."""
    assert module.LOOK_S <= 60


async def test_a_database_that_goes_away_comes_back(postgres_url: str) -> None:
    """A real server that takes no connections any more, and does again."""
    name = f"outage_{os.getpid()}"
    tables = _tables({"database_url": SecretStr(f"{postgres_url}/{name}")})
    lists, desk = Watchlists(tables, SystemClock()), Desk()
    watched = WatchedByUsers(lists.counts, BUDGET, no_problem, desk.announce, desk.hear)
    admin = await asyncpg.connect(f"{postgres_url}/postgres")
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        await lists.create("ann", "main", ["VIX"])
        await watched.look()
        assert list(watched.symbols) == ["VIX"]
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        await watched.look()
        assert list(watched.symbols) == ["DAX", "EURUSD", "VIX"]
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await watched.look()
        assert list(watched.symbols) == ["VIX"]
    finally:
        await tables.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
    assert len(desk.told) == 2
    assert f"/{name} cannot be used" in desk.told[0]


def _tables(database: Database) -> Store:
    return store(ServiceSettings(**database))  # type: ignore[arg-type]


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
