"""Yahoo's charts: what its bodies mean, and the provider against a server that speaks like it."""

import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from services.ingest.adapters.feeds.yfinance.feed import Yfinance
from services.ingest.adapters.feeds.yfinance.parse import read
from services.ingest.domain.asking import Answer, Given, ProviderFault, Refused
from services.ingest.settings import YfinanceSection
from tests.ingest.lines import at
from tests.ingest.live.bodies import HTML, as_body, ask, chart

S = 1_000_000
RISE = (1.1, 1.2, 1.0, 1.15)
TEN_PAST = at("14:10") // S
# Stands for a number that is written in its place.
ODD = 987_654_321
_NODE = "yahoo-finance2"


def recorded(shared_data: Path, name: str) -> tuple[int, bytes]:
    """The status and body of a recording."""
    found = json.loads((shared_data / "api" / "yahoo" / name).read_text())
    if "response" not in found:
        return 200, as_body(found)
    response = found["response"]
    body = response.get("bodyJson", response.get("body"))
    return response["status"], as_body(body) if not isinstance(body, str) else body.encode()


def answered(body: Any) -> Answer:
    reply = read(200, None, as_body(body))
    assert isinstance(reply, Answer)
    return reply


def test_a_chart_becomes_candles() -> None:
    """Rows are candles by their opening; the market's time is Yahoo's own."""
    body = chart([(TEN_PAST, RISE, 12), (TEN_PAST + 60, RISE, None)], regularMarketTime=TEN_PAST)
    assert answered(body) == Answer(
        (Given(at("14:10"), *RISE, 12.0), Given(at("14:11"), *RISE, 0.0)), at("14:10"), 0
    )


def test_a_last_price_at_its_own_time_is_no_candle() -> None:
    """Yahoo ends a chart with the last price: it tells the time and nothing else."""
    body = chart([(TEN_PAST, RISE, 1), (TEN_PAST + 73, RISE, 0)], regularMarketTime=TEN_PAST)
    reply = answered(body)
    assert [candle.open_at for candle in reply.candles] == [at("14:10")]
    assert reply.market_at == at("14:11:13")


def test_rows_without_a_price_are_counted_and_left_out() -> None:
    """Null prices make no candle; zero and negative ones are passed on for the writer to judge."""
    nothing = (None, None, None, None)
    half = (1.1, None, 1.0, 1.1)
    body = chart(
        [(TEN_PAST, nothing, None), (TEN_PAST + 60, half, 1), (TEN_PAST + 120, (0, 1, -1, 1), 1)]
    )
    reply = answered(body)
    assert reply.empty_rows == 2
    assert [(candle.open, candle.low) for candle in reply.candles] == [(0.0, -1.0)]


def test_columns_of_unequal_length_lose_no_row_in_silence() -> None:
    """What has no time or no price is counted."""
    body = chart([(TEN_PAST, RISE, 1), (TEN_PAST + 60, RISE, 1)])
    body["chart"]["result"][0]["timestamp"].pop()
    assert (len(answered(body).candles), answered(body).empty_rows) == (1, 1)


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-Infinity", "1" + "0" * 400])
def test_numbers_that_no_float_holds_are_counted_and_left_out(odd: str) -> None:
    """Python's JSON reads more than JSON is: as a time, as the market's time, as a price."""
    rows = [(TEN_PAST, RISE, 1), (ODD, RISE, 1), (TEN_PAST + 120, (ODD, 1, 1, 1), ODD)]
    body = as_body(chart(rows, regularMarketTime=ODD)).replace(b"%d" % ODD, odd.encode())
    assert read(200, None, body) == Answer((Given(at("14:10"), *RISE, 1.0),), None, 2)


@pytest.mark.parametrize(
    ("name", "candles"),
    [
        (f"{_NODE}/chart-EURUSD=X-2020-01-01-to-2020-01-03.json", 3),
        ("bradjacobs/aapl_chart_no_results.json", 0),
        (f"{_NODE}/chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json", 0),
        (f"{_NODE}/chart-notimestamp-weird-quote.fake.json", 0),
        (f"{_NODE}/chart-notimestamp-quotes-length.fake.json", 0),
        ("yfinance-rs/history_chart_GS2C.DE.json", 4),
    ],
)
def test_recorded_charts_are_read(shared_data: Path, name: str, candles: int) -> None:
    """Recorded bodies, empty ones and odd ones among them."""
    reply = read(*_with_header(recorded(shared_data, name)))
    assert isinstance(reply, Answer)
    assert len(reply.candles) == candles


def _with_header(found: tuple[int, bytes]) -> tuple[int, None, bytes]:
    return found[0], None, found[1]


def test_an_unknown_symbol_is_refused_for_good() -> None:
    """As recorded by many: Yahoo knows nothing of it."""
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    body = as_body({"chart": {"result": None, "error": error}})
    assert read(404, None, body) == Refused("No data found, symbol may be delisted")


def test_a_bad_request_is_refused_for_now() -> None:
    """What Yahoo cannot make sense of says nothing of tomorrow."""
    told = "400 Bad Request: invalid interval"
    assert read(400, None, told.encode()) == Refused(told, lasting=False)


def test_a_range_without_data_is_an_empty_answer(shared_data: Path) -> None:
    """As recorded: plain text under HTTP 400, and there was simply nothing to tell."""
    status, body = recorded(shared_data, f"{_NODE}/historical-BEKE-2020-01-01-to-2020-01-03.json")
    assert read(status, None, body) == Answer(())


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"Too Many Requests\r\n", "limit"),
        (429, b"Too Many Requests", "limit"),
        (429, b"", "limit"),
        (200, as_body({"error": {"code": "Too Many Requests", "description": "x"}}), "limit"),
        (200, as_body({"error": {"code": "Unauthorized"}}), "key"),
        (401, as_body({"finance": {"error": {"code": "Invalid Crumb"}}}), "key"),
        (200, HTML, "body"),
        (200, b"", "body"),
        (200, b"7", "body"),
        (200, b"[" * 100_000, "body"),
        (200, b"{}", "body"),
        (200, b'{"chart": 1}', "body"),
        (502, HTML, "http"),
        (503, b"{}", "http"),
        (500, as_body({"chart": {"result": None, "error": {"code": "Internal"}}}), "http"),
    ],
)
def test_what_speaks_of_the_whole_call_is_a_fault(status: int, body: bytes, kind: str) -> None:
    """Limits under any status, pages, plain text, server errors."""
    with pytest.raises(ProviderFault) as caught:
        read(status, None, body)
    assert caught.value.kind == kind


@pytest.mark.parametrize(("header", "wait_s"), [("30", 30.0), (None, None), ("Sat, 1 Jan", None)])
def test_retry_after_is_passed_on(header: str | None, wait_s: float | None) -> None:
    """HTTP 429 with and without a Retry-After in seconds."""
    with pytest.raises(ProviderFault) as caught:
        read(429, header, b"")
    assert caught.value.retry_after_s == wait_s


@pytest.mark.parametrize(
    "result", [None, 1, {}, {"indicators": {"quote": [None]}, "timestamp": [TEN_PAST]}]
)
def test_a_result_of_another_shape_has_no_candles(result: Any) -> None:
    """Nothing that Yahoo may send ends in a traceback."""
    assert answered({"chart": {"result": [result], "error": None}}).candles == ()


@pytest.fixture
async def provider(httpserver: HTTPServer) -> AsyncIterator[Yfinance]:
    made = Yfinance(YfinanceSection(base_url=httpserver.url_for("/"), timeout_s=60))
    yield made
    await made.close()


async def test_a_chart_is_asked_for_by_its_own_name(
    httpserver: HTTPServer, provider: Yfinance
) -> None:
    """The request as Yahoo wants it, names with special characters included."""
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(as_body(chart([(TEN_PAST, RISE, 1)])))

    httpserver.expect_request("/v8/finance/chart/^GDAXI").respond_with_handler(answer)
    replies = await provider.candles([ask("DAX", "^GDAXI")])
    assert replies == {"DAX": Answer((Given(at("14:10"), *RISE, 1.0),), None, 0)}
    (request,) = asked
    assert dict(request.args) == {
        "interval": "1m",
        "period1": str(at("14:00") // S),
        "period2": str(at("14:10") // S),
        "includePrePost": "false",
    }


async def test_silence_is_a_time_out(httpserver: HTTPServer) -> None:
    """A server that does not answer is given up on."""
    provider = Yfinance(YfinanceSection(base_url=httpserver.url_for("/"), timeout_s=0.5))
    given_up = threading.Event()

    def sleep(_: Request) -> Response:
        given_up.wait(60.0)
        return Response(b"{}")

    httpserver.expect_request("/v8/finance/chart/^GDAXI").respond_with_handler(sleep)
    with pytest.raises(ProviderFault) as caught:
        await provider.candles([ask("DAX", "^GDAXI")])
    given_up.set()
    await provider.close()
    assert caught.value.kind == "timeout"


async def test_nobody_there_is_a_lost_connection() -> None:
    """A port without a server."""
    provider = Yfinance(YfinanceSection(base_url="http://127.0.0.1:9", timeout_s=60))
    with pytest.raises(ProviderFault) as caught:
        await provider.candles([ask("DAX", "^GDAXI")])
    assert caught.value.kind == "connection"
    await provider.close()
