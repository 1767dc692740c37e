"""Previews over HTTP: out of what the log holds, without keeping the rules."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from tests.signals.house import asking
from tests.signals.play import FRIDAY, MINUTE, SYMBOL, instrument, level, levels, rule_set, tick

PREVIEW = "/api/v1/rules/preview"
RULES = rule_set({"kind": "touch", "within_ticks": 0}, symbols=[SYMBOL]).body
ASKED: dict[str, Any] = {
    "symbol": SYMBOL,
    "rule_set": RULES,
    "since": FRIDAY,
    "until": FRIDAY + 60 * MINUTE,
}


@pytest.fixture
async def client(redis_log: RedisLog, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A log in which the price has come to yesterday's high twice."""
    partition = partition_of(SYMBOL, redis_log.partitions)
    prices = [tick(p, FRIDAY + n * MINUTE, n + 2) for n, p in enumerate((80, 100, 80, 100))]
    for entry in (instrument(), *prices):
        await redis_log.append(partition, "tick", entry.wire())
    await redis_log.append(partition, "level_computed", levels(level()).wire())
    for symbol in (SYMBOL, "OTHER"):
        view = redis_log.keys.view(partition_of(symbol, redis_log.partitions), "candles")
        await redis_log.redis.hset(view, symbol, '{"at": 1, "candles": {}}')
    async with asking(redis_log, {"data_dir": tmp_path}) as made:
        yield made


async def ask(client: httpx.AsyncClient, **changed: Any) -> httpx.Response:
    body = {name: value for name, value in {**ASKED, **changed}.items() if value is not None}
    return await client.post(PREVIEW, json=body)


async def test_every_hit_is_told_with_its_reason(client: httpx.AsyncClient) -> None:
    """And nothing is kept or put in force."""
    answer = await ask(client)
    report = answer.json()
    assert answer.status_code == 200
    assert [(hit["at"] - FRIDAY) // MINUTE for hit in report["hits"]] == [1, 3]
    assert report["hits"][0]["reason"].startswith("TEST touched yesterday's high 100")
    assert report["by_day"] == {"2026-11-20": 2}
    assert report["prices"] == 4
    assert (await client.get("/api/v1/rules/test")).status_code == 404


async def test_only_the_range_counts(client: httpx.AsyncClient) -> None:
    """Half-open; what comes before is played and not told."""
    report = (await ask(client, since=FRIDAY + 2 * MINUTE)).json()
    assert len(report["hits"]) == 1


async def test_a_kept_a_configured_and_a_shipped_set_can_be_named(
    client: httpx.AsyncClient,
) -> None:
    """By name instead of a body."""
    await client.post("/api/v1/rules", json=RULES)
    kept = await ask(client, rule_set=None, name="test")
    assert len(kept.json()["hits"]) == 2
    for name in ("liquidity", "structure"):
        assert (await ask(client, rule_set=None, name=name)).json()["name"] == name
    assert (await ask(client, rule_set=None, name="nosuch")).status_code == 404


@pytest.mark.parametrize(
    ("changed", "status", "pointer"),
    [
        ({"rule_set": {**RULES, "rules": []}}, 422, "/rule_set/rules"),
        ({"rule_set": None}, 422, "/rule_set"),
        ({"name": "liquidity"}, 422, "/rule_set"),
        ({"until": FRIDAY}, 422, "/since"),
        ({"symbol": "OTHER"}, 422, "/symbol"),
        ({"horizon": "7m"}, 422, "/horizon"),
    ],
)
async def test_what_is_wrong_is_pointed_at(
    client: httpx.AsyncClient, changed: dict[str, Any], status: int, pointer: str
) -> None:
    """A JSON pointer into the question."""
    answer = await ask(client, **changed)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_symbol_without_a_price_is_not_there(client: httpx.AsyncClient) -> None:
    """Instead of a preview without hits."""
    answer = await ask(client, symbol="EURUSD", rule_set={**RULES, "symbols": ["*"]})
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "no price of 'EURUSD' has come yet",
    )
