"""Prices over HTTP: what is taken, what is not and why, and the snapshot that shows them."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.ingest.adapters.feeds.push.inlet import Inlet
from services.ingest.adapters.feeds.push.parse import Book
from services.ingest.routes.monitor import monitor_router
from services.ingest.routes.ticks import Door, ticks_router
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.service.problems import tell_problems
from tests.ingest.lines import TABLE, at

BOOK = Book(TABLE, {"NIFTY": "NIFTY 50"})
TICK = {"symbol": "EURUSD", "at": "2026-06-10T14:00:01Z", "price": 1.1}


class Wall:
    """A clock that stands."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def elapsed(self) -> float:
        return 0.0


class Site:
    """The routes, served in a process of their own."""

    def __init__(self, log: RedisLog, keys: Keys) -> None:
        self.log = log
        self.keys = keys
        self.room: int | None = None
        self.door = Door(3)
        self.now = at("14:00:05")

    async def call(
        self, method: str, path: str, content: str = "", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        app, clock = FastAPI(), Wall(self.now)
        tell_problems(app)
        inlet = Inlet(self.log.redis, self.keys, self.room)
        app.include_router(ticks_router(inlet, BOOK, clock, self.door))
        reads = RedisReads(self.log.redis, self.keys)
        app.include_router(monitor_router(reads, TABLE, BOOK, clock))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, content=content, headers=headers)

    async def push(self, body: object, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.call("POST", "/api/v1/ticks", json.dumps(body), headers)

    async def price(self, symbol: str, when: str, price: float) -> None:
        """The candles stage shows a newest price."""
        view = json.dumps({"at": at(when), "price": price, "source": "push"})
        key = self.keys.view(partition_of(symbol, self.keys.partitions), "candles")
        await execute(self.log.redis, "HSET", key, symbol, view)


@pytest.fixture
def site(redis_log: RedisLog, keys: Keys) -> Site:
    """Three ticks at once are the most."""
    return Site(redis_log, keys)


async def test_a_batch_is_taken_once(site: Site) -> None:
    """Sent again it is known; under a key of its own it is another."""
    answer = await site.push({"ticks": [TICK, {**TICK, "price": 1.2}]})
    assert (answer.status_code, answer.json()) == (
        202,
        {"accepted": 2, "duplicate": 0, "rejected": 0, "errors": []},
    )
    again = await site.push([TICK, {**TICK, "price": 1.3}])
    assert again.json() == {"accepted": 1, "duplicate": 1, "rejected": 0, "errors": []}
    keyed = [(await site.push([TICK], key="a")).json()["accepted"] for _ in range(2)]
    assert keyed == [1, 0]


async def test_what_is_wrong_is_told_with_its_place_and_the_rest_is_taken(site: Site) -> None:
    """Item, field, and a JSON pointer to it."""
    answer = await site.push({"ticks": [TICK, {**TICK, "price": -1}, {**TICK, "symbol": "EURUSX"}]})
    assert answer.status_code == 202
    told = answer.json()
    assert (told["accepted"], told["rejected"]) == (1, 2)
    price, symbol = told["errors"]
    assert (price["item"], price["field"], price["pointer"]) == (1, "price", "/ticks/1/price")
    assert price["detail"] == "Input should be greater than 0"
    assert symbol["pointer"] == "/ticks/2/symbol"
    assert "did you mean EURUSD" in symbol["detail"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ("{", 400, "the body is no JSON"),
        ("", 400, "the body is no JSON"),
        ("3", 422, "the body must be a list of ticks"),
        ('{"tick": []}', 422, "the body must be a list of ticks"),
        ("[]", 422, "there are no ticks"),
        ('[{"symbol": "EURUSD"}]', 422, "/0/at: Field required"),
        ("[1, 2, 3, 4]", 413, "at most 3 ticks at once"),
        ('"' + "x" * 5_000 + '"', 413, "at most 3 ticks at once"),
    ],
)
async def test_a_batch_that_cannot_be_taken_is_refused(
    site: Site, body: str, status: int, told: str
) -> None:
    """One clear answer, and nothing of it in the log."""
    answer = await site.call("POST", "/api/v1/ticks", body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(told)


async def test_where_prices_come_from_elsewhere_none_are_taken(site: Site) -> None:
    """The answer says what to set."""
    site.door = Door(3, closed="TIDELINE_INGEST__FEED is demo; set it to push")
    answer = await site.push([TICK])
    assert answer.status_code == 409
    assert answer.json()["detail"].endswith("set it to push")


async def test_a_feed_that_is_behind_makes_others_wait(site: Site) -> None:
    """A 503 with Retry-After; the same batch can be sent again."""
    site.room = 1
    assert (await site.push([TICK])).status_code == 202
    answer = await site.push([{**TICK, "price": 1.2}])
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    site.room = None
    assert (await site.push([{**TICK, "price": 1.2}])).json()["accepted"] == 1


async def snapshot(site: Site, now: str, underlying: str = "NIFTY") -> dict[str, Any]:
    site.now = at(now)
    answer = await site.call("GET", f"/monitor/snapshot?underlying={underlying}")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_a_snapshot_shows_an_underlying_and_its_options(site: Site) -> None:
    """In market hours (03:45Z to 10:00Z) more than ten seconds are stale; other options are not
    in it."""
    await site.price("NIFTY 50", "09:00", 24512.3)
    await site.price("NIFTY26JUN24500PE", "09:00", 98.0)
    await site.price("NIFTY26JUN24500CE", "09:00:05", 101.5)
    await site.price("BANKNIFTY26JUN52000CE", "09:00", 5.0)
    found = await snapshot(site, "09:00:10")
    assert (found["market_open"], found["stale"]) == (True, False)
    assert found["underlying"]["price"] == 24512.3
    assert found["underlying"]["age_ms"] == 10_000
    assert [(one["symbol"], one["strike"], one["right"]) for one in found["options"]] == [
        ("NIFTY26JUN24500CE", 24500.0, "CE"),
        ("NIFTY26JUN24500PE", 24500.0, "PE"),
    ]
    later = await snapshot(site, "09:00:10.000001", "NIFTY%2050")
    assert later["stale"] is True
    assert later["underlying"]["stale"] is True
    assert [one["stale"] for one in later["options"]] == [False, True]
    closed = await snapshot(site, "10:00")
    assert (closed["market_open"], closed["stale"]) == (False, False)


async def test_options_that_have_ended_are_missed_no_more(site: Site) -> None:
    """The log shows their last prices for ever: they are left out from the day after their last."""
    await site.price("NIFTY 50", "09:00", 24512.3)
    await site.price("NIFTY2660924500CE", "2026-06-09 09:59", 3.0)
    await site.price("NIFTY2661024500CE", "09:00", 4.0)
    found = await snapshot(site, "09:00:10")
    assert [one["symbol"] for one in found["options"]] == ["NIFTY2661024500CE"]
    assert found["stale"] is False


async def test_a_snapshot_without_prices_says_so(site: Site) -> None:
    """Nothing has come: no price, and stale while the market is open."""
    found = await snapshot(site, "09:00")
    assert found["underlying"] == {
        "symbol": "NIFTY 50",
        "price": None,
        "at": None,
        "age_ms": None,
        "stale": True,
        "source": "",
    }
    assert found["options"] == []


async def test_a_snapshot_of_an_unknown_underlying_names_the_nearest(site: Site) -> None:
    """As everywhere."""
    answer = await site.call("GET", "/monitor/snapshot?underlying=NIFTI")
    assert answer.status_code == 404
    assert "did you mean NIFTY 50" in answer.json()["detail"]
