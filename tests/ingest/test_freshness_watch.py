"""The watch on freshness over a real log, its route, and what survives a change of process."""

import json
from collections.abc import Sequence

import httpx
import pytest
from fastapi import FastAPI

from services.ingest.adapters.freshness import Freshness, Shown
from services.ingest.domain.freshness import Rule
from services.ingest.routes.freshness import freshness_router
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.events.ops import OpsKind
from shared.service.problems import tell_problems
from tests.ingest.lines import TABLE, at

EVERYTHING = range(4)


class Wall:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.at = at("12:00")

    def now(self) -> int:
        return self.at

    def elapsed(self) -> float:
        return self.at / 1_000_000


class Desk:
    """Prices that come, watches that look, and what they tell."""

    def __init__(self, log: RedisLog, keys: Keys) -> None:
        self.told: list[tuple[str, str]] = []
        self.wall = Wall()
        self.log = log
        self.keys = keys
        self.watch = self.another()

    def another(self) -> Freshness:
        """The watch of another process, or of this one after a restart."""
        shown = Shown(self.log.redis, self.keys)
        return Freshness(shown, TABLE, self.wall, self._tell, Rule())

    async def price(self, symbol: str, when: str, delay_ms: int = 0) -> None:
        """The candles stage shows a newest price."""
        view = {"at": at(when), "price": 1.1, "source": "test", "delay_ms": delay_ms}
        key = self.keys.view(partition_of(symbol, self.keys.partitions), "candles")
        await execute(self.log.redis, "HSET", key, symbol, json.dumps(view))

    async def look(
        self, when: str, symbols: Sequence[str], owned: Sequence[int] = EVERYTHING
    ) -> None:
        self.wall.at = at(when)
        await self.watch.look(owned, symbols, at(when))

    async def ask(self, query: str = "") -> httpx.Response:
        """What the route answers, in a process that watches nothing."""
        app = FastAPI()
        tell_problems(app)
        reads = RedisReads(self.log.redis, self.keys)
        app.include_router(freshness_router(reads, TABLE, self.wall))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(f"/api/v1/freshness{query}")

    async def statuses(self) -> dict[str, str]:
        answer = (await self.ask()).json()
        return {one["symbol"]: one["status"] for one in answer["symbols"]}

    async def _tell(self, kind: OpsKind, detail: str, symbol: str) -> None:
        self.told.append((kind, detail))


@pytest.fixture
def desk(redis_log: RedisLog, keys: Keys) -> Desk:
    """Nobody has looked yet."""
    return Desk(redis_log, keys)


async def test_one_dies_one_lives_and_one_is_closed(desk: Desk) -> None:
    """DAX stops, EURUSD goes on, NIFTY's day is over: three answers, and one alarm."""
    watched = ["DAX", "EURUSD", "NIFTY 50"]
    await desk.price("DAX", "12:00")
    await desk.price("NIFTY 50", "09:59")
    for minute in range(5):
        await desk.price("EURUSD", f"12:0{minute}")
        await desk.look(f"12:0{minute}", watched)
    assert await desk.statuses() == {"DAX": "stale", "EURUSD": "fresh", "NIFTY 50": "closed"}
    assert desk.told == [
        ("first_entry", "DAX: first price of the session, of 2026-06-10T12:00Z"),
        ("first_entry", "EURUSD: first price of the session, of 2026-06-10T12:00Z"),
        (
            "data_stale",
            "DAX: its market is open, but its last price is 180 s old (2026-06-10T12:00Z)",
        ),
    ]
    rows = {name: dict(found) for name, found in desk.watch.metrics()}
    assert rows["tideline_price_age_seconds"]["DAX",] == 240
    assert rows["tideline_price_status"]["DAX", "stale"] == 1
    assert rows["tideline_price_status"]["DAX", "fresh"] == 0


async def test_the_answer_says_all_of_it(desk: Desk) -> None:
    """Times, limits, session and reason of one symbol."""
    await desk.price("DAX", "12:00", delay_ms=60_000)
    await desk.look("12:00:30", ["DAX", "EURUSD"])
    answer = (await desk.ask("?symbol=DAX")).json()
    assert answer == {
        "at": at("12:00:30"),
        "counts": {"fresh": 1},
        "symbols": [
            {
                "symbol": "DAX",
                "status": "fresh",
                "reason": "",
                "at": at("12:00"),
                "age_ms": 30_000,
                "late_after_ms": 60_000,
                "stale_after_ms": 180_000,
                "delay_ms": 60_000,
                "source": "test",
                "session": [at("07:00"), at("15:30")],
                "told_at": at("12:00:30"),
            }
        ],
    }


async def test_a_watch_that_has_stopped_is_no_fresh_data(desk: Desk) -> None:
    """The process that watches is gone: what it said last is not believed for long."""
    await desk.price("DAX", "12:00")
    await desk.look("12:00", ["DAX"])
    desk.wall.at = at("12:00:10")
    assert await desk.statuses() == {"DAX": "fresh"}
    desk.wall.at = at("12:00:11")
    (one,) = (await desk.ask()).json()["symbols"]
    assert (one["status"], one["reason"]) == ("stale", "ingest has said nothing for 11 s")


async def test_a_restart_repeats_nothing_and_waits_anew(desk: Desk) -> None:
    """What was told is not told again; an hour in which nobody looked is no fault of the data."""
    await desk.price("DAX", "12:00")
    await desk.look("12:00", ["DAX"])
    desk.watch = desk.another()
    await desk.look("13:00", ["DAX"])
    assert await desk.statuses() == {"DAX": "fresh"}
    await desk.look("13:03", ["DAX"])
    desk.watch = desk.another()
    await desk.look("13:04", ["DAX"])
    assert await desk.statuses() == {"DAX": "stale"}
    assert [kind for kind, _ in desk.told] == ["first_entry", "data_stale"]


async def test_what_another_version_showed_is_passed_over(desk: Desk) -> None:
    """Neither the watch nor the route ends at a text that it cannot read."""
    for symbol, text in (("DAX", "{}"), ("EURUSD", "<html>")):
        key = desk.keys.view(partition_of(symbol, desk.keys.partitions), "feed")
        await execute(desk.log.redis, "HSET", key, symbol, text)
    assert await desk.statuses() == {}
    await desk.price("DAX", "12:00")
    await desk.look("12:00", ["DAX"])
    assert await desk.statuses() == {"DAX": "fresh"}


async def test_a_symbol_that_nobody_watches_is_not_missed(desk: Desk) -> None:
    """Dropped from all watchlists it is shown no more, and its silence is no alarm."""
    await desk.price("DAX", "12:00")
    await desk.look("12:00", ["DAX", "EURUSD"])
    await desk.look("12:10", ["EURUSD"])
    assert list(await desk.statuses()) == ["EURUSD"]
    _, ages = next(iter(desk.watch.metrics()))
    assert list(ages) == []
    await desk.look("12:10", [])
    assert await desk.statuses() == {}


async def test_only_partitions_of_our_own_are_looked_at(desk: Desk) -> None:
    """Each replica watches what it feeds, and nothing of what it fed before."""
    home = partition_of("DAX", desk.keys.partitions)
    others = [one for one in EVERYTHING if one != home]
    await desk.price("DAX", "12:00")
    await desk.look("12:00", ["DAX"], owned=others)
    assert await desk.statuses() == {}
    await desk.look("12:00", ["DAX"])
    await desk.look("12:30", ["DAX"], owned=others)
    assert [kind for kind, _ in desk.told] == ["first_entry"]


async def test_an_unknown_symbol_is_answered_with_the_nearest(desk: Desk) -> None:
    """As everywhere."""
    answer = await desk.ask("?symbol=DAXX")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("unknown symbol 'DAXX'; did you mean DAX")
