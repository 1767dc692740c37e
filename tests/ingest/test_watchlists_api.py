"""Watchlists, what is watched, and instruments over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from shared.bus.redis_log import RedisLog
from shared.events.base import micros, moment
from tests.conftest import Database
from tests.ingest.served import served, web

# Saturday noon, UTC.
NOW = 1_795_262_400_000_000


class Wall:
    """A clock that moves by a microsecond at every look."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> int:
        self.time += 1
        return self.time

    def elapsed(self) -> float:
        return self.time / 1e6


@pytest.fixture
async def api(redis_log: RedisLog, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The routes over empty tables; three symbols may be watched."""
    limits = {"symbols_max": 3, "default": ["DAX", "EURUSD"]}
    async with served(web(redis_log, Wall(), database, watchlists=limits)) as client:
        yield client


@pytest.fixture
async def away(redis_log: RedisLog) -> AsyncIterator[httpx.AsyncClient]:
    """The routes over a database that is not there."""
    database = {"database_url": SecretStr("postgresql://me:hush@127.0.0.1:1/nowhere")}
    async with served(web(redis_log, Wall(), database)) as client:
        yield client


async def make(api: httpx.AsyncClient, user: str, name: str, *symbols: str) -> dict[str, Any]:
    body = {"name": name, "symbols": symbols}
    reply = await api.post("/watchlists", json=body, headers={"X-User-Id": user})
    assert reply.status_code == 201, reply.text
    made: dict[str, Any] = reply.json()
    return made


def symbols(reply: httpx.Response) -> list[str]:
    return [one["symbol"] for one in reply.json()["entries"]]


async def watched(api: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get("/watched")).json()
    return {name: found[name] for name in ("watched", "left_out", "fallback")}


async def problem(reply: httpx.Response, status: int) -> dict[str, Any]:
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = reply.json()
    return told


async def test_a_list_lives_over_http(api: httpx.AsyncClient) -> None:
    """It is made, found where its making says, renamed, and gone."""
    reply = await api.post("/watchlists", json={"name": "my list", "symbols": ["DAX"]})
    assert reply.status_code == 201
    assert reply.headers["location"] == "/api/v1/watchlists/my%20list"
    found = await api.get("/watchlists/my%20list")
    assert found.json() == reply.json()
    assert (await api.get("/watchlists")).json() == {"watchlists": [found.json()]}
    renamed = await api.patch("/watchlists/my list", json={"name": "other"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "other")
    assert (await api.delete("/watchlists/other")).status_code == 204
    assert (await api.get("/watchlists")).json() == {"watchlists": []}


async def test_entries_come_and_go(api: httpx.AsyncClient) -> None:
    """However people write a symbol, the list holds it once, under its one name."""
    await make(api, "local", "main", "^GDAXI", "MESZ6")
    added = await api.post("/watchlists/main/entries", json={"symbol": "EUR/USD"})
    assert (added.status_code, symbols(added)) == (201, ["DAX", "MESZ2026", "EURUSD"])
    again = await api.post("/watchlists/main/entries", json={"symbol": "EURUSD"})
    assert (again.status_code, symbols(again)) == (200, ["DAX", "MESZ2026", "EURUSD"])
    off = await api.patch("/watchlists/main/entries/EURUSD=X", json={"is_active": False})
    assert (off.status_code, off.json()["is_active"]) == (200, False)
    assert (await api.delete("/watchlists/main/entries/EUR/USD")).status_code == 204
    assert symbols(await api.get("/watchlists/main")) == ["DAX", "MESZ2026"]


async def test_every_user_has_lists_of_their_own(api: httpx.AsyncClient) -> None:
    """Whoever is named in the header; nobody sees another's."""
    await make(api, "ann", "main", "DAX")
    await make(api, "bob@example.org", "main", "VIX")
    mine = await api.get("/watchlists/main", headers={"X-User-Id": "ann"})
    assert symbols(mine) == ["DAX"]
    assert (await api.get("/watchlists")).json() == {"watchlists": []}
    await problem(await api.delete("/watchlists/main", headers={"X-User-Id": "cid"}), 404)


async def test_what_is_watched_follows_from_all_lists(api: httpx.AsyncClient) -> None:
    """Most watched first; over the budget it is told who is left out, and why."""
    await make(api, "ann", "main", "NDX", "DAX", "VIX")
    await make(api, "bob", "main", "DAX", "VIX", "DJI")
    await make(api, "cid", "main", "VIX", "NIFTY25NOVFUT")
    assert await watched(api) == {
        "watched": [
            {"symbol": "VIX", "watchers": 3},
            {"symbol": "DAX", "watchers": 2},
            {"symbol": "NDX", "watchers": 1},
        ],
        "left_out": [
            {
                "symbol": "DJI",
                "watchers": 1,
                "reason": "more than 3 symbols are wanted, and this one less often",
            },
            {"symbol": "NIFTY25NOVFUT", "watchers": 1, "reason": "it ended on 2025-11-25"},
        ],
        "fallback": None,
    }
    await api.patch("/instruments/VIX", json={"is_active": False})
    found = await watched(api)
    assert [one["symbol"] for one in found["watched"]] == ["DAX", "NDX", "DJI"]
    assert found["left_out"][0]["reason"] == "switched off by an operator"


async def test_without_any_list_the_default_set_is_watched(api: httpx.AsyncClient) -> None:
    """And the answer says why."""
    assert await watched(api) == {
        "watched": [{"symbol": "DAX", "watchers": 0}, {"symbol": "EURUSD", "watchers": 0}],
        "left_out": [],
        "fallback": "nobody watches anything",
    }


async def test_without_tables_the_default_set_is_watched(away: httpx.AsyncClient) -> None:
    """What is watched can still be asked; lists cannot, and nobody learns the password."""
    found = await watched(away)
    assert [one["symbol"] for one in found["watched"]] == ["DAX", "NDX", "DJI", "EURUSD", "EURGBP"]
    told = await problem(await away.get("/watchlists"), 503)
    assert told["detail"].startswith("the tables at postgresql://127.0.0.1:1/nowhere cannot be")
    assert found["fallback"] == told["detail"]
    assert "hush" not in told["detail"]


WRONG: list[tuple[str, str, dict[str, Any] | None, int, str | None, str]] = [
    ("POST", "/watchlists", {}, 422, "name", "name: field required"),
    ("POST", "/watchlists", {"name": "a/b"}, 422, "name", "name: string should match"),
    ("POST", "/watchlists", {"name": "a", "symbol": "DAX"}, 422, "symbol", "symbol: extra"),
    (
        "POST",
        "/watchlists",
        {"name": "a", "symbols": ["DAX", "DAXX"]},
        422,
        "symbols",
        "unknown symbol 'DAXX'; did you mean DAX,",
    ),
    (
        "POST",
        "/watchlists",
        {"name": "a", "symbols": ["DAX", ""]},
        422,
        "symbols",
        "symbols: string should have at least 1 character",
    ),
    (
        "POST",
        "/watchlists/main/entries",
        {"symbol": "EURUS"},
        422,
        "symbol",
        "unknown symbol 'EURUS'; did you mean EURUSD",
    ),
    (
        "POST",
        "/watchlists/main/entries",
        {"symbol": "DAX", "is_active": "maybe"},
        422,
        "is_active",
        "is_active: input should be a valid boolean",
    ),
    ("POST", "/watchlists/no/entries", {"symbol": "DAX"}, 404, None, "there is no watchlist"),
    ("POST", "/watchlists", {"name": "main"}, 409, None, "there is a watchlist 'main' already"),
    ("PATCH", "/watchlists/main", {"name": "other"}, 409, None, "there is a watchlist 'other'"),
    (
        "PATCH",
        "/watchlists/main/entries/VIX",
        {"is_active": True},
        404,
        None,
        "VIX is not on the watchlist 'main'",
    ),
    ("DELETE", "/watchlists/main/entries/NOPE", None, 404, None, "NOPE is not on the watchl"),
    ("GET", "/instruments/NIFTY26NOVFU", None, 404, None, "unknown symbol 'NIFTY26NOVFU'; did"),
    ("GET", "/instruments?kind=bond", None, 422, "kind", "kind: input should be 'index'"),
    ("GET", "/freshness?symbol=DAX&symbol=", None, 422, "symbol", "symbol: string should"),
    ("PATCH", "/instruments/DAX", {}, 422, "is_active", "is_active: field required"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=[" ".join(one[:2]) for one in WRONG])
async def test_what_is_wrong_is_named(api: httpx.AsyncClient, wrong: tuple[Any, ...]) -> None:
    """One problem document, with the field, and the nearest where a symbol is not known."""
    method, path, body, status, field, detail = wrong
    await make(api, "local", "main", "DAX")
    await make(api, "local", "other")
    told = await problem(await api.request(method, path, json=body), status)
    assert told["detail"].startswith(detail)
    assert told.get("parameter") == field


async def test_a_users_name_has_a_form(api: httpx.AsyncClient) -> None:
    """The header is checked like everything else."""
    told = await problem(await api.get("/watchlists", headers={"X-User-Id": "a b"}), 422)
    assert told["parameter"] == "X-User-Id"


async def test_instruments_are_listed_and_found(api: httpx.AsyncClient) -> None:
    """By kind, by part of a name, and one by any usual way to write it."""
    fx = (await api.get("/instruments", params={"kind": "fx"})).json()["instruments"]
    assert [one["symbol"] for one in fx] == ["EURUSD", "EURGBP", "GBPUSD"]
    assert fx[0]["names"]["twelvedata"] == "EUR/USD"
    assert fx[0]["session"]["zone"] == "America/New_York"
    gold = (await api.get("/instruments", params={"q": "gold"})).json()["instruments"]
    assert [one["symbol"] for one in gold] == ["XAUUSD", "GC", "MGC"]
    one = (await api.get("/instruments/GC=F")).json()
    assert (one["symbol"], one["kind"], one["last_day"]) == ("GC", "future", None)


async def test_an_instrument_tells_its_session(api: httpx.AsyncClient) -> None:
    """Saturday noon the E-mini is closed; it opens on Sunday at 17:00 Chicago, 23:00 UTC."""
    assert moment(NOW).isoformat() == "2026-11-21T12:00:00+00:00"
    one = (await api.get("/instruments/ESZ6")).json()
    assert one["last_day"] == "2026-12-18"
    assert not one["is_open"]
    opens = micros(moment(NOW).replace(day=22, hour=23))
    assert one["opens_at"] == opens
    assert one["ends_at"] == opens + 23 * 3_600_000_000
