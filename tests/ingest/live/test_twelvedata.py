"""Twelve Data: what its bodies mean, and the provider against a server that speaks its protocol."""

import json
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from services.ingest.adapters.feeds.live.provider import TOGETHER_US
from services.ingest.adapters.feeds.twelvedata.feed import TwelveData
from services.ingest.adapters.feeds.twelvedata.parse import read
from services.ingest.adapters.feeds.twelvedata.wire import ROWS_MAX
from services.ingest.domain.asking import Answer, Given, ProviderFault, Refused
from services.ingest.settings import TwelveDataSection
from shared.clock import SystemClock
from shared.market.timeframes import LENGTH_US
from tests.ingest.lines import at
from tests.ingest.live.bodies import HTML, as_body, ask, twelve_error, twelve_row, twelve_series

KEY = "a-key-of-nobody"
RISE = (1.1, 1.2, 1.0, 1.15)


class Purse:
    """A budget that grants everything and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    async def reserve(self, calls: int, now: int) -> tuple[int, float]:
        return calls, 0.0

    async def settle(self, used: int | None, left: int | None, now: int) -> None:
        self.told.append((used, left))

    async def block(self, wait_s: float, now: int) -> None:
        self.told.append(wait_s)


def recorded(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "api" / "twelvedata" / name).read_text())


def fault_of(status: int, body: bytes, names: Sequence[str] = ("EUR/USD",)) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        read(status, None, body, names)
    return caught.value


def test_a_series_becomes_candles() -> None:
    """Rows are candles in UTC by their opening; FX has no volume."""
    body = as_body(twelve_series([twelve_row("14:00", RISE), twelve_row("14:01", RISE)]))
    assert read(200, None, body, ["EUR/USD"]) == {
        "EUR/USD": Answer(
            (Given(at("14:00"), *RISE, 0.0), Given(at("14:01"), *RISE, 0.0)), at("14:01"), 0
        )
    }


def test_rows_without_a_price_are_counted_and_left_out() -> None:
    """Null, missing and unreadable values make no candle; zero and negative ones are passed on."""
    rows: list[dict[str, Any]] = [
        {**twelve_row("14:00", RISE), "close": None},
        {**twelve_row("14:01", RISE), "datetime": "yesterday"},
        {"datetime": "2026-06-10 14:02:00"},
        {**twelve_row("14:03", RISE), "low": "-1.0"},
    ]
    (reply,) = read(200, None, as_body(twelve_series(rows)), ["EUR/USD"]).values()
    assert isinstance(reply, Answer)
    assert reply.empty_rows == 3
    assert [candle.low for candle in reply.candles] == [-1.0]


def test_one_symbol_of_a_batch_may_be_unknown(shared_data: Path) -> None:
    """A recorded batch: the known symbol has its candles, the other one its reason."""
    body = as_body(recorded(shared_data, "marekskopal/batch_error.json"))
    replies = read(200, None, body, ["AAPL", "INVALID", "MSFT"])
    assert isinstance(replies["AAPL"], Answer)
    assert replies["AAPL"].candles[0].close == 229.87
    assert isinstance(replies["INVALID"], Refused)
    assert replies["INVALID"].reason.startswith("**symbol** not found: INVALID")
    assert replies["MSFT"] == Refused("it is not in the answer", lasting=False)


def test_credits_that_run_out_in_a_batch_spare_the_others() -> None:
    """A limit told for one symbol of a batch leaves what the others were given."""
    series = twelve_series([twelve_row("14:00", RISE)])
    body = as_body({"EUR/USD": series, "EUR/GBP": twelve_error(429, "out of API credits")})
    replies = read(200, None, body, ["EUR/USD", "EUR/GBP"])
    assert isinstance(replies["EUR/USD"], Answer)
    assert replies["EUR/GBP"] == Refused("out of API credits", lasting=False)


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize(("which", "wait_s"), [("429_minute_8", 60.0), ("429_day_800", 86_400.0)])
def test_a_limit_is_told_under_any_status(
    shared_data: Path, status: int, which: str, wait_s: float
) -> None:
    """The recorded texts of a used-up minute and day, with HTTP 200 and with 429."""
    fault = fault_of(status, as_body(recorded(shared_data, "rate_limit_bodies.json")[which]))
    assert (fault.kind, fault.retry_after_s) == ("limit", wait_s)


@pytest.mark.parametrize(("header", "wait_s"), [("17", 17.0), ("soon", 60.0), (None, 60.0)])
def test_retry_after_is_obeyed_where_it_is_a_number(header: str | None, wait_s: float) -> None:
    """HTTP 429 with and without a usable Retry-After."""
    with pytest.raises(ProviderFault) as caught:
        read(429, header, b"", ["EUR/USD"])
    assert caught.value.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, HTML, "body"),
        (502, HTML, "http"),
        (200, b"[]", "body"),
        (200, b"", "body"),
        (200, b"[" * 100_000, "body"),
        (500, as_body({"code": 500, "message": "oops", "status": "error"}), "http"),
        (200, as_body(twelve_error(401, "**apikey** parameter is incorrect")), "key"),
    ],
)
def test_what_speaks_of_the_whole_call_is_a_fault(status: int, body: bytes, kind: str) -> None:
    """No JSON, server errors and a wrong key are nobody's symbol's fault."""
    assert fault_of(status, body).kind == kind


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (404, "**symbol** not found: NDX. Please specify it correctly"),
        (403, "XAU/USD is available exclusively with grow plans"),
        (400, "Invalid **symbol** provided"),
    ],
)
@pytest.mark.parametrize("status", [200, 404])
def test_a_symbol_may_be_refused(code: int, message: str, status: int) -> None:
    """What speaks of the symbol says nothing about the provider."""
    reply = read(status, None, as_body(twelve_error(code, message)), ["X"])
    assert reply == {"X": Refused(message)}


def test_a_stretch_without_data_is_an_empty_answer() -> None:
    """At weekends Twelve Data answers with an error that is none."""
    told = "No data is available on the specified dates. Try setting different start/end dates."
    assert read(200, None, as_body(twelve_error(400, told)), ["X"]) == {"X": Answer(())}


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
async def provider(httpserver: HTTPServer, purse: Purse) -> AsyncIterator[TwelveData]:
    section = TwelveDataSection(
        base_url=httpserver.url_for("/"), key=SecretStr(KEY), timeout_s=60, credits_minute=55
    )
    made = TwelveData(section, purse, SystemClock())
    yield made
    await made.close()


async def test_the_key_travels_in_a_header_only(
    httpserver: HTTPServer, provider: TwelveData, purse: Purse
) -> None:
    """The request as Twelve Data wants it; what its headers say of credits is passed on."""
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        series = twelve_series([twelve_row("14:00", RISE)])
        body = as_body({"EUR/USD": series, "EUR/GBP": series})
        return Response(body, headers={"api-credits-used": "2", "api-credits-left": "53"})

    httpserver.expect_request("/time_series").respond_with_handler(answer)
    replies = await provider.candles([ask("EURUSD", "EUR/USD"), ask("EURGBP", "EUR/GBP", "13:50")])
    assert {symbol: type(reply) for symbol, reply in replies.items()} == {
        "EURUSD": Answer,
        "EURGBP": Answer,
    }
    (request,) = asked
    assert request.headers["Authorization"] == f"apikey {KEY}"
    assert KEY not in request.url
    assert dict(request.args) == {
        "symbol": "EUR/USD,EUR/GBP",
        "interval": "1min",
        "start_date": "2026-06-10 13:50:00",
        "end_date": "2026-06-10 14:09:59",
        "outputsize": "5000",
        "timezone": "UTC",
        "order": "ASC",
    }
    assert purse.told == [(2, 53)]


async def test_a_call_for_several_symbols_fits_into_one_answer(provider: TwelveData) -> None:
    """The longest asks that may go together: rows beyond an answer's most would be lost unseen."""
    for timeframe, (_, longest) in provider.reach.items():
        rows = -(-(longest + 2 * TOGETHER_US) // LENGTH_US[timeframe])
        assert rows <= ROWS_MAX, timeframe


async def test_a_limit_blocks_the_shared_budget(
    httpserver: HTTPServer, provider: TwelveData, purse: Purse
) -> None:
    """Other replicas need not find out by themselves."""
    body = as_body(twelve_error(429, "You have run out of API credits for the day."))
    httpserver.expect_request("/time_series").respond_with_data(body, 200)
    with pytest.raises(ProviderFault):
        await provider.candles([ask("EURUSD", "EUR/USD")])
    assert purse.told == [(None, None), 86_400.0]


async def test_silence_is_a_time_out(httpserver: HTTPServer, purse: Purse) -> None:
    """A server that does not answer is given up on."""
    section = TwelveDataSection(base_url=httpserver.url_for("/"), key=SecretStr(KEY), timeout_s=0.5)
    provider = TwelveData(section, purse, SystemClock())
    given_up = threading.Event()

    def sleep(_: Request) -> Response:
        given_up.wait(60.0)
        return Response(b"{}")

    httpserver.expect_request("/time_series").respond_with_handler(sleep)
    with pytest.raises(ProviderFault) as caught:
        await provider.candles([ask("EURUSD", "EUR/USD")])
    given_up.set()
    await provider.close()
    assert caught.value.kind == "timeout"


async def test_nobody_there_is_a_lost_connection() -> None:
    """A port without a server."""
    section = TwelveDataSection(base_url="http://127.0.0.1:9", key=SecretStr(KEY), timeout_s=60)
    provider = TwelveData(section, Purse(), SystemClock())
    with pytest.raises(ProviderFault) as caught:
        await provider.candles([ask("EURUSD", "EUR/USD")])
    assert caught.value.kind == "connection"
    assert KEY not in str(caught.value)
    await provider.close()
