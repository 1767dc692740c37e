"""``tideline instruments``: what can be watched, and what a symbol means."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tideline


def test_instruments_are_listed(tideline: Tideline) -> None:
    """A line each, or those of a kind."""
    code, out, _ = tideline("instruments", "--kind", "fx")
    assert code == 0
    assert out.splitlines() == [
        "EURUSD            fx         Euro / US dollar",
        "EURGBP            fx         Euro / pound",
        "GBPUSD            fx         Pound / US dollar",
    ]
    _, out, _ = tideline("instruments", "--json")
    assert json.loads(out.splitlines()[0])["symbol"] == "DAX"


def test_a_contract_is_shown_by_any_usual_name(tideline: Tideline) -> None:
    """With its last day and its names at each provider."""
    code, out, _ = tideline("instruments", "esh2026")
    assert code == 0
    assert out.splitlines() == [
        "ESH2026",
        "  title: E-mini S&P 500, March 2026",
        "  kind: future",
        "  session: 17:00-16:00 America/Chicago",
        "  calendar: CME_Equity",
        "  tick size: 0.25",
        "  grace: 2000 ms",
        "  last day: 2026-03-20",
        "  yfinance: ESH26.CME",
        "  tradingview: CME_MINI:ESH2026",
        "  ibkr: FUT:ES:CME:USD:202603",
    ]
    _, out, _ = tideline("instruments", "GC=F", "--json")
    assert (json.loads(out)["symbol"], json.loads(out)["last_day"]) == ("GC", None)


def test_the_users_own_instruments_are_known(
    tideline: Tideline, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The instrument file counts here too."""
    (place / "mine.toml").write_text('[DAX]\ntitle = "My DAX"\n')
    monkeypatch.setenv("TIDELINE_INGEST__INSTRUMENTS", str(place / "mine.toml"))
    assert "  title: My DAX" in tideline("instruments", "^GDAXI")[1]


def test_an_unknown_symbol_names_the_nearest(tideline: Tideline) -> None:
    """One line, exit code 2."""
    code, _, err = tideline("instruments", "EURUS")
    assert code == 2
    assert err.startswith("tideline: unknown symbol 'EURUS'; did you mean EURUSD")
    assert err.count("\n") == 1
