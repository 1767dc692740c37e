"""``tideline backfill``: the past from a provider, for archive and charts."""

import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from services.ingest.domain.sessions import SessionCalendar
from shared.clock import SystemClock
from shared.events.base import stamp
from shared.market.timeframes import LENGTH_US
from tests.cli.conftest import Tideline
from tests.ingest.lines import TABLE
from tests.ingest.live.stubs import Market, Stub, yahoo


@pytest.fixture
def stub(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Yahoo with an invented market, as the settings have it."""
    made = Stub(Market())

    def answer(request: Request) -> Response:
        status, body = yahoo(made, request.path, dict(request.args))
        how = made.outage()
        return Response(body if how is None else b"", status=status if how is None else int(how))

    httpserver.expect_request("/v8/finance/chart/^NDX").respond_with_handler(answer)
    monkeypatch.setenv("TIDELINE_INGEST__YFINANCE__BASE_URL", httpserver.url_for("/"))
    monkeypatch.setenv("TIDELINE_INGEST__YFINANCE__TIMEOUT_S", "60")
    monkeypatch.setenv("TIDELINE_INGEST__HOLIDAYS", "false")
    return made


def a_past_hour() -> tuple[str, ...]:
    """An hour of New York's last session but one, which providers still have in minutes."""
    calendar = SessionCalendar(TABLE.get("NDX").session)
    span = calendar.previous(SystemClock().now() - LENGTH_US["1d"])
    assert span is not None
    since, until = stamp(span.open_at), stamp(span.open_at + LENGTH_US["1h"])
    return "--from", since, "--to", until


def test_whole_sessions_are_kept_as_revisions(tideline: Tideline, stub: Stub) -> None:
    """A session's minutes and all that follows from them, to be asked for like any candle."""
    stretch = a_past_hour()
    code, out, told = tideline("backfill", "ndx", *stretch, "--json")
    assert (code, told) == (0, "")
    # 390 minutes, 78 five minutes, 26 quarters, 7 and 2 hours, one day.
    assert json.loads(out) == {"symbol": "NDX", "candles": 504, "sessions": 1, "empty": 0}
    query = "select timeframe, count(*) as n from candles group by timeframe order by n"
    _, out, _ = tideline("sql", "--stored", "--json", query)
    counts = [json.loads(line) for line in out.splitlines()]
    assert {row["timeframe"]: row["n"] for row in counts} == {
        "1m": 390,
        "5m": 78,
        "15m": 26,
        "1h": 7,
        "4h": 2,
        "1d": 1,
    }
    tideline("backfill", "NDX", *stretch)
    _, out, _ = tideline("sql", "--stored", "--json", "select count(*) as n from candles")
    assert json.loads(out) == {"n": 504}


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["NDY", "--from", "2026-11-18"], 2, "unknown symbol 'NDY'"),
        (["NDX", "--from", "yesterday"], 2, "--from yesterday is no time; use a date such as"),
        (["NDX", "--from", "2026-11-18", "--to", "2026-11-17"], 2, "nothing lies between"),
        (["XAUUSD", "--from", "2026-11-18"], 1, "XAUUSD: no provider of its kind is set up"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tideline: Tideline, stub: Stub, words: list[str], code: int, line: str
) -> None:
    """Wrong symbols and times, and an instrument that nobody gives."""
    assert stub.asked == []
    found, out, told = tideline("backfill", *words)
    assert (found, out) == (code, "")
    assert line in told
    assert len(told.splitlines()) == 1
