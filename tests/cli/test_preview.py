"""``tideline preview``: a rule over recorded prices, without anything running."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tideline

RULE = """
name = "mine"
symbols = ["EURUSD"]

[[rules]]
name = "fell"
[rules.when]
kind = "candle"
timeframe = "15m"
direction = "short"
condition = { kind = "crosses_below", left = "close", right = 1.1 }
"""


@pytest.fixture
def prices(place: Path) -> Path:
    """Ten quarters of an hour of a Wednesday: 1.12 to 1.08, one point less each."""
    path = place / "prices.csv"
    rows = [
        f"2026-06-10T{14 + n // 4:02}:{n % 4 * 15:02}:00Z,{1.125 - n / 200:.3f}" for n in range(10)
    ]
    path.write_text("time,price\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def rule(place: Path) -> Path:
    path = place / "mine.toml"
    path.write_text(RULE)
    return path


def test_hits_are_told_with_what_came_after(tideline: Tideline, rule: Path, prices: Path) -> None:
    """The close of 1.095 is the first below 1.1; the candle after it closes at 1.09."""
    code, out, err = tideline(
        "preview", str(rule), "--symbol", "EURUSD", "--file", str(prices), "--json"
    )
    assert code == 0, err
    report = json.loads(out)
    (hit,) = report["hits"]
    assert (hit["rule"], hit["direction"], hit["price"]) == ("fell", "short", 1.095)
    assert hit["returns"]["1"] == pytest.approx(0.005 / 1.095)
    assert hit["returns"]["20"] is None
    assert report["by_day"] == {"2026-06-10": 1}


def test_people_get_a_table_and_the_sum_of_it(tideline: Tideline, rule: Path, prices: Path) -> None:
    """The hit on stdout, what it comes to on stderr."""
    code, out, err = tideline("preview", str(rule), "--symbol", "EURUSD", "--file", str(prices))
    assert code == 0
    assert "fell" in out
    assert "10 prices" in err
    assert "1 hits on 1 days" in err


def test_a_range_leaves_out_what_is_beside_it(tideline: Tideline, rule: Path, prices: Path) -> None:
    """What comes before it is played, but not told."""
    arguments = ("--symbol", "EURUSD", "--file", str(prices), "--to", "2026-06-10T15:00", "--json")
    _, out, _ = tideline("preview", str(rule), *arguments)
    assert json.loads(out)["hits"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nosuch", "--symbol", "EURUSD"), "shipped sets: atr_stop_flip"),
        (("liquidity", "--symbol", "EURUSD", "--from", "noon"), "'noon' is no time"),
        (("liquidity", "--symbol", "EURUSD", "--horizon", "7m"), "unknown timeframe '7m'"),
        (("liquidity", "--symbol", "EURUSD"), "no tideline is running here"),
    ],
)
def test_misuse_is_one_line(tideline: Tideline, arguments: tuple[str, ...], told: str) -> None:
    """With the mend, and no traceback."""
    code, _, err = tideline("preview", *arguments)
    assert code != 0
    assert told in err
    assert err.count("\n") == 1


def test_a_symbol_that_the_rules_do_not_look_at_is_refused(
    tideline: Tideline, rule: Path, prices: Path
) -> None:
    """Instead of a silent nothing."""
    _, _, err = tideline("preview", str(rule), "--symbol", "DAX", "--file", str(prices))
    assert "does not look at DAX, only at EURUSD" in err
