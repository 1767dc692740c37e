"""The HTTP routes, asked over ASGI."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from services.charts.adapters.hub import Hub
from shared.service.headers import CONTENT_SECURITY_POLICY
from tests.charts.feed import public_app, ready_hub
from tests.charts.made import MINUTE, NINE, alert, closed, reading, signal

CANDLES = "/api/v1/candles"
CHART = {"symbol": "EURUSD", "timeframe": "1m"}


@pytest.fixture
def hub() -> Hub:
    """Five candles of EURUSD, a day, levels, a signal, alerts, and a symbol with a space."""
    return ready_hub(
        [
            *[closed(minute, 1.1 + minute / 1000) for minute in range(5)],
            closed(-1440, 1.05, timeframe="1d"),
            reading(4, 1.3, 1.2),
            signal(1),
            alert(1),
            alert(2, symbol="NIFTY 50"),
            closed(0, symbol="NIFTY 50"),
        ]
    )


@pytest.fixture
async def ask(hub: Hub) -> AsyncIterator[Callable[..., Any]]:
    transport = httpx.ASGITransport(public_app(hub))
    async with httpx.AsyncClient(transport=transport, base_url="http://charts") as client:
        yield client.get


Ask = Callable[..., Any]


async def test_candles_come_in_order_with_their_source(ask: Ask) -> None:
    """The newest page, oldest candle first, and no older page where nothing is older."""
    page = (await ask(CANDLES, params=CHART)).json()
    assert [one["open_at"] for one in page["candles"]] == [NINE + i * MINUTE for i in range(5)]
    assert (page["symbol"], page["timeframe"], page["source"]) == ("EURUSD", "1m", "demo")
    assert page["next_before"] is None


async def test_pages_of_candles_follow_one_another(ask: Ask) -> None:
    """Each page names the time to ask for the one before it; together they are everything."""
    opened: list[int] = []
    before: int | None = None
    for _ in range(3):
        cursor = {} if before is None else {"before": before}
        page = (await ask(CANDLES, params={**CHART, "limit": 2, **cursor})).json()
        opened = [one["open_at"] for one in page["candles"]] + opened
        before = page["next_before"]
    assert opened == [NINE + i * MINUTE for i in range(5)]
    assert before is None


async def test_unchanged_answer_is_not_sent_again(ask: Ask, hub: Hub) -> None:
    """The ETag of an answer brings 304 until something changes."""
    first = await ask(CANDLES, params=CHART)
    headers = {"If-None-Match": first.headers["etag"]}
    assert (await ask(CANDLES, params=CHART, headers=headers)).status_code == 304
    hub.book.apply(closed(5))
    assert (await ask(CANDLES, params=CHART, headers=headers)).status_code == 200


async def test_unknown_symbol_names_the_nearest(ask: Ask) -> None:
    """A problem document says what is wrong and what was probably meant."""
    answer = await ask(CANDLES, params={**CHART, "symbol": "EURUDS"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "unknown symbol 'EURUDS'; the nearest is EURUSD",
        "instance": CANDLES,
        "nearest": "EURUSD",
    }


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"symbol": "EURUSD"}, "timeframe"),
        ({**CHART, "timeframe": "7m"}, "timeframe"),
        ({**CHART, "limit": "0"}, "limit"),
        ({**CHART, "limit": "many"}, "limit"),
        ({**CHART, "before": "-1"}, "before"),
        ({**CHART, "before": "yesterday"}, "before"),
    ],
)
async def test_bad_parameter_is_named(ask: Ask, params: dict[str, str], name: str) -> None:
    """A missing or malformed parameter is refused by name."""
    answer = await ask(CANDLES, params=params)
    assert (answer.status_code, answer.json()["parameter"]) == (422, name)
    assert answer.json()["detail"].startswith(f"{name}: ")


async def test_path_that_does_not_exist_is_a_problem_too(ask: Ask) -> None:
    """Every error has the same form."""
    answer = await ask("/api/v1/bars")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


async def test_symbols_are_listed_with_their_prices(ask: Ask) -> None:
    """One entry a symbol, sorted, compared with yesterday where there was one."""
    symbols = (await ask("/api/v1/symbols")).json()["symbols"]
    assert symbols == [
        {
            "symbol": "EURUSD",
            "timeframes": ["1m", "1d"],
            "source": "demo",
            "decimals": 3,
            "price": 1.1,
            "at": NINE + 5 * MINUTE,
            "previous_close": 1.05,
            "data": "",
        },
        {
            "symbol": "NIFTY 50",
            "timeframes": ["1m"],
            "source": "demo",
            "decimals": 2,
            "price": 1.1,
            "at": NINE + MINUTE,
            "previous_close": None,
            "data": "",
        },
    ]


async def test_levels_of_a_chart(ask: Ask) -> None:
    """By falling price, with their kind and the times they formed and were confirmed."""
    answer = (await ask("/api/v1/levels", params=CHART)).json()
    assert [level["price"] for level in answer["levels"]] == [1.3, 1.2]
    assert answer["levels"][0]["formed_at"] == NINE
    assert answer["zones"] == []


async def test_signals_of_a_symbol(ask: Ask) -> None:
    """A signal tells what happened at which level, and why."""
    found = (await ask("/api/v1/markers", params={"symbol": "EURUSD"})).json()["signals"]
    assert [(one["action"], one["direction"], one["at"]) for one in found] == [
        ("break", "long", NINE + MINUTE)
    ]
    assert found[0]["reason"].startswith("EURUSD broke yesterday's high")


async def test_alerts_of_all_symbols_or_one(ask: Ask) -> None:
    """Newest first; a symbol with a space is asked for like any other."""
    everything = (await ask("/api/v1/alerts")).json()["alerts"]
    assert [one["symbol"] for one in everything] == ["NIFTY 50", "EURUSD"]
    one = (await ask("/api/v1/alerts", params={"symbol": "NIFTY 50"})).json()["alerts"]
    assert [(alert["symbol"], alert["status"]) for alert in one] == [("NIFTY 50", "delivered")]


async def test_before_history_is_read_the_answer_is_to_wait(ask: Ask, hub: Hub) -> None:
    """A server that is starting does not claim to know nothing."""
    hub.ready = False
    answer = await ask(CANDLES, params=CHART)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_nobody_looks_at_anything_yet(ask: Ask) -> None:
    """The status of no trackers is empty."""
    assert (await ask("/ws/status")).json() == {"active_trackers": 0, "trackers": {}}


@pytest.mark.parametrize("path", ["/", "/api/v1/symbols", "/nowhere", "/assets/style.css"])
async def test_every_answer_carries_security_headers(ask: Ask, path: str) -> None:
    """Also errors and files: no foreign script can run, no answer is sniffed, none is framed."""
    headers = (await ask(path)).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"


async def test_request_id_is_kept_or_made(ask: Ask) -> None:
    """A plausible id comes back as it was, anything else is replaced."""
    kept = await ask("/api/v1/symbols", headers={"X-Request-ID": "abc-123"})
    assert kept.headers["x-request-id"] == "abc-123"
    made = await ask("/api/v1/symbols", headers={"X-Request-ID": "<script>"})
    assert made.headers["x-request-id"].isalnum()


@pytest.mark.parametrize(
    "path", ["/assets/../package.json", "/page/package.json", "/assets/%2e%2e/index.html"]
)
async def test_only_the_pages_own_files_are_served(ask: Ask, path: str) -> None:
    """Nothing beside the page's public files can be fetched."""
    assert (await ask(path)).status_code == 404


async def test_answers_are_described(ask: Ask) -> None:
    """The OpenAPI document names every route and the shape of its answers."""
    document = (await ask("/openapi.json")).json()
    assert set(document["paths"]) == {
        "/api/v1/candles",
        "/api/v1/symbols",
        "/api/v1/levels",
        "/api/v1/markers",
        "/api/v1/alerts",
        "/ws/status",
    }
    assert "next_before" in document["components"]["schemas"]["CandlePage"]["properties"]
