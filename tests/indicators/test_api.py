"""The routes of indicators, asked over ASGI, with stages at work on a real log."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.bus.redis_log import RedisLog
from shared.events import LevelComputed
from shared.events.base import MICROS_PER_MINUTE as MINUTE
from tests.archive.test_recorder import recorder
from tests.indicators.asking import OPEN_AT, PATIENCE_S, SYMBOL, Market, asking
from tideline.oracle import oracle

HERE = {"symbol": SYMBOL, "timeframe": "1m"}


@pytest.fixture
async def market(redis_log: RedisLog) -> Market:
    """Sixty minutes of EURUSD."""
    made = Market(redis_log)
    await made.minutes(60)
    return made


@pytest.fixture
async def client(
    market: Market, redis_log: RedisLog, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(redis_log, tmp_path, subscriptions_max=5) as made:
        yield made


def readings(market: Market) -> list[LevelComputed]:
    """What the spine leads to."""
    found = oracle(market.spine).topics["level_computed"]
    return [one for one in found if isinstance(one, LevelComputed) and one.timeframe == "1m"]


async def subscribe(client: httpx.AsyncClient, market: Market, *words: str) -> httpx.Response:
    """Ask until it is in force: on a busy machine the first answer may come before that."""
    body = {**HERE, "timeframe": "1min", "indicators": words}
    async with market.working(), asyncio.timeout(PATIENCE_S):
        while True:
            answer = await client.post("/indicators/subscribe", json=body)
            if answer.status_code != 202:
                return answer


async def current(client: httpx.AsyncClient, *words: str, **more: Any) -> Any:
    asked = {**HERE, "indicators": ",".join(words), **more}
    return (await client.get("/api/v1/indicators/current", params=asked)).json()


async def test_current_values_are_the_last_closed_candles(
    client: httpx.AsyncClient, market: Market
) -> None:
    """By the caller's names or ours, without a value where there is none yet."""
    found = await current(client, "RSI_14", "ema:20", "VWAP", "ATR_STOP_14_3")
    last = readings(market)[-1]
    assert (found["at"], found["provisional"]) == (OPEN_AT + 60 * MINUTE, False)
    assert found["indicators"]["RSI_14"] == {
        "name": "rsi:14",
        "status": "ready",
        "values": {"rsi:14": last.values["rsi:14"]},
        "zones": [],
    }
    assert found["indicators"]["ema:20"]["values"] == {"ema:20": last.values["ema:20"]}
    stop = found["indicators"]["ATR_STOP_14_3"]["values"]
    assert stop["atr_stop.upper"] == last.values.get("atr_stop.upper")


async def test_what_nobody_subscribed_says_so(client: httpx.AsyncClient) -> None:
    """Neither zero nor an error: there is no such value."""
    answer = (await current(client, "SMA_50"))["indicators"]["SMA_50"]
    assert answer == {"name": "sma:50", "status": "not_subscribed", "values": {}, "zones": []}


async def test_a_subscription_has_its_values_at_once(
    client: httpx.AsyncClient, market: Market
) -> None:
    """The past came along: the value is that of the last fifty closes, before another candle."""
    answer = await subscribe(client, market, "SMA_50")
    assert (answer.status_code, answer.json()["applied"]) == (200, True)
    assert answer.json()["indicators"] == {"SMA_50": {"name": "sma:50", "status": "ready"}}
    closes = [one.candle.close for one in readings(market)[-50:]]
    found = (await current(client, "SMA_50"))["indicators"]["SMA_50"]["values"]["sma:50"]
    assert found == pytest.approx(sum(closes) / 50, abs=1e-9)


async def test_a_subscription_stands_on_the_spine(
    client: httpx.AsyncClient, market: Market, redis_log: RedisLog
) -> None:
    """What is published from then on is what the spine leads to, whoever plays it again."""
    await subscribe(client, market, "SMA_50", "macd")
    await market.minutes(5)
    history = await client.get(
        "/indicators/history", params={**HERE, "indicators": "SMA_50,macd", "limit": 7}
    )
    found = history.json()["readings"]
    expected = readings(market)[-7:][::-1]
    assert [one["at"] for one in found] == [one.at for one in expected]
    for one, reading in zip(found[:5], expected[:5], strict=True):
        assert one["indicators"]["SMA_50"]["values"] == {"sma:50": reading.values["sma:50"]}
        assert one["indicators"]["macd"]["values"] == {
            name: value for name, value in reading.values.items() if name.startswith("macd")
        }
    assert found[5]["indicators"]["SMA_50"]["status"] == "not_subscribed"


async def test_the_last_subscriber_takes_it_away(client: httpx.AsyncClient, market: Market) -> None:
    """What everybody gets stays; what one user alone wanted goes."""
    await subscribe(client, market, "SMA_50")
    asked = {**HERE, "indicators": ["SMA_50", "RSI_14"]}
    answer = (await client.post("/indicators/unsubscribe", json=asked)).json()
    assert (answer["removed"], answer["kept"]) == (["sma:50"], ["rsi:14"])
    await market.read_up()
    assert (await current(client, "SMA_50"))["indicators"]["SMA_50"]["status"] == "not_subscribed"
    mine = (await client.get("/indicators/subscriptions")).json()
    assert mine == {"subscriptions": []}


async def test_what_another_user_wants_stays(client: httpx.AsyncClient, market: Market) -> None:
    """A recipe goes with its last subscriber."""
    asked = {**HERE, "indicators": ["SMA_50"]}
    async with market.working():
        for user in ("ann", "bob"):
            await client.post("/indicators/subscribe", json=asked, headers={"X-User-Id": user})
    for user, kept in (("ann", ["sma:50"]), ("bob", [])):
        answer = await client.post(
            "/indicators/unsubscribe", json=asked, headers={"X-User-Id": user}
        )
        assert answer.json()["kept"] == kept


async def test_an_offset_counts_closed_candles_back(
    client: httpx.AsyncClient, market: Market
) -> None:
    """The words of the brief, to the letter but for the symbol."""
    for offset in (0, 1, 7):
        answer = await client.get(
            "/indicators/at-offset",
            params={**HERE, "timeframe": "1min", "indicators": "RSI_14", "offset": offset},
        )
        found = answer.json()
        assert found["at"] == OPEN_AT + (60 - offset) * MINUTE
        expected = readings(market)[-1 - offset].values["rsi:14"]
        assert found["indicators"]["RSI_14"]["values"]["rsi:14"] == expected
    far = await client.get(
        "/indicators/at-offset", params={**HERE, "indicators": "RSI_14", "offset": 500}
    )
    assert far.status_code == 404


async def test_pages_of_history_follow_one_another(client: httpx.AsyncClient) -> None:
    """Each names the time to ask for the one before it; together they are everything."""
    seen: list[int] = []
    before: dict[str, int] = {}
    while True:
        params: dict[str, str | int] = {**HERE, "indicators": "RSI_14", "limit": 25, **before}
        page = (await client.get("/indicators/history", params=params)).json()
        seen += [one["at"] for one in page["readings"]]
        if page["next_before"] is None:
            break
        before = {"before": page["next_before"]}
    assert seen == [OPEN_AT + n * MINUTE for n in range(60, 0, -1)]


async def test_what_the_log_has_forgotten_comes_out_of_the_archive(
    client: httpx.AsyncClient, market: Market, redis_log: RedisLog, tmp_path: Path
) -> None:
    """Published readings are history, and recorded candles warm a new subscription."""
    made = recorder(redis_log, tmp_path / "archive")
    await made.look()
    made.close()
    for topic in ("level_computed", "candle_closed"):
        await redis_log.redis.xtrim(redis_log.keys.topic(market.partition, topic), maxlen=0)
    await market.minutes(3)
    params: dict[str, str | int] = {**HERE, "indicators": "RSI_14", "limit": 1000}
    page = (await client.get("/indicators/history", params=params)).json()
    assert [one["at"] for one in page["readings"]] == [
        OPEN_AT + n * MINUTE for n in range(63, 0, -1)
    ]
    assert (await subscribe(client, market, "SMA_50")).json()["applied"]
    found = (await current(client, "SMA_50"))["indicators"]["SMA_50"]
    assert found["status"] == "ready"


async def test_a_forming_candle_is_provisional(client: httpx.AsyncClient, market: Market) -> None:
    """As if it closed as it stands; the five minutes that end later are forming at 14:58."""
    await market.minutes(3)
    found = await current(client, "RSI_14", timeframe="5m", provisional=True)
    assert (found["provisional"], found["at"]) == (True, OPEN_AT + 65 * MINUTE)
    plain = await current(client, "RSI_14", timeframe="5m")
    assert (plain["provisional"], plain["at"]) == (False, OPEN_AT + 60 * MINUTE)


async def test_a_batch_answers_each_question(client: httpx.AsyncClient) -> None:
    """A question that cannot be answered has its problem in its place."""
    body = {
        "requests": [
            {**HERE, "indicators": ["RSI_14"]},
            {"symbol": "NOSUCH", "timeframe": "1m", "indicators": ["RSI_14"]},
            {**HERE, "indicators": ["RSI_14"], "offset": 3},
        ]
    }
    first, second, third = (await client.post("/indicators/batch", json=body)).json()["results"]
    assert first["at"] - third["at"] == 3 * MINUTE
    assert second["status"] == 404


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"symbol": "EURUSB"}, 404, "unknown symbol 'EURUSB'; did you mean EURUSD?"),
        ({"timeframe": "7m"}, 422, "unknown timeframe '7m'; known: 1m, 5m, 15m, 1h, 4h, 1d"),
        ({"indicators": "RSJ_14"}, 422, "unknown indicator 'RSJ_14'; did you mean rsi?"),
        ({"indicators": "RSI_0"}, 422, "rsi: length must be from 1 to 1000, got 0"),
        ({"indicators": " , "}, 422, "indicators: name one at least, such as RSI_14"),
    ],
)
async def test_what_is_unknown_names_the_nearest(
    client: httpx.AsyncClient, asked: dict[str, str], status: int, told: str
) -> None:
    """One clear sentence, as a problem document."""
    params = {**HERE, "indicators": "RSI_14", **asked}
    answer = await client.get("/indicators/current", params=params)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["detail"]) == (status, told)


async def test_a_wrong_name_points_at_its_field(client: httpx.AsyncClient) -> None:
    """A JSON pointer into the body, and what is nearest."""
    answer = await client.post(
        "/indicators/subscribe", json={**HERE, "indicators": ["RSI_14", "BOLINGER_20"]}
    )
    problem = answer.json()
    assert problem["errors"][0]["pointer"] == "/indicators/1"
    assert problem["nearest"] == ["bollinger"]


async def test_a_user_has_only_so_many(client: httpx.AsyncClient, market: Market) -> None:
    """The limit of the settings; nothing of the request that passes it is taken."""
    assert (await subscribe(client, market, "SMA_3", "SMA_4", "SMA_5", "SMA_6")).is_success
    refused = await subscribe(client, market, "SMA_6", "SMA_7", "SMA_8")
    assert refused.status_code == 409
    mine = (await client.get("/indicators/subscriptions")).json()["subscriptions"]
    assert [one["indicator"] for one in mine] == ["sma:3", "sma:4", "sma:5", "sma:6"]
