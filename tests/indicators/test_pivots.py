"""Pivots of named days, computed by hand."""

from pathlib import Path

import pytest

from services.indicators.domain.catalogue import parse
from services.indicators.domain.levels.base import LevelState
from shared.events import CandleClosed, Level
from tests.indicators.candles import at, closed, daily


def pivots(candle: CandleClosed, system: str) -> tuple[Level, ...]:
    state = parse(f"pivot.{system}").start()
    assert isinstance(state, LevelState)
    state.update(candle)
    return state.levels


# High 1.09303, low 1.08329, close 1.08464: pp = 3.26096 / 3; r1 = 2 pp - 1.08329;
# r2 = pp + 0.00974; r3 = 1.09303 + 2 (pp - 1.08329); the supports mirrored.
EURUSD_20230822 = {
    "pp": 1.0869866666666667,
    "r1": 1.0906833333333333,
    "r2": 1.0967266666666667,
    "r3": 1.1004233333333333,
    "s1": 1.0809433333333333,
    "s2": 1.0772466666666667,
    "s3": 1.0712033333333333,
}
# High 17.27, low 15.30, close 16.22: pp = 48.79 / 3 and so on.
VIX_20190214 = {
    "pp": 16.263333333333335,
    "r1": 17.226666666666667,
    "r2": 18.233333333333333,
    "r3": 19.196666666666667,
    "s1": 15.256666666666667,
    "s2": 14.293333333333333,
    "s3": 13.286666666666667,
}


@pytest.mark.parametrize(
    ("file", "day", "expected"),
    [
        ("snowguru/EURUSD_D1.csv.gz", "2023-08-22", EURUSD_20230822),
        ("vix-daily.csv.gz", "2019-02-14", VIX_20190214),
    ],
)
def test_classic_pivots_of_a_published_day(
    shared_data: Path, file: str, day: str, expected: dict[str, float]
) -> None:
    """After a named day's candle the classic pivots are those computed by hand."""
    candle = next(c for c in daily(shared_data / "daily" / file) if c.open_at == at(day))
    levels = pivots(candle, "classic")
    assert {level.key.rpartition(".")[2]: level.price for level in levels} == pytest.approx(
        expected, abs=1e-12
    )
    assert {(level.formed_at, level.confirmed_at) for level in levels} == {(candle.at, candle.at)}


def test_pivots_lie_on_their_sides() -> None:
    """Resistances are above the pivot, supports below, and the event says which is which."""
    levels = pivots(closed(0, 10, 12, 9, 11, timeframe="1d"), "classic")
    assert [(level.key, level.side) for level in levels] == [
        ("pivot.classic.pp", "pivot"),
        ("pivot.classic.r1", "resistance"),
        ("pivot.classic.r2", "resistance"),
        ("pivot.classic.r3", "resistance"),
        ("pivot.classic.s1", "support"),
        ("pivot.classic.s2", "support"),
        ("pivot.classic.s3", "support"),
    ]


# Open 10, high 12, low 8, close 11: range 4, and the close is above the open.
SYSTEMS = {
    "classic": {
        "pp": 31 / 3, "r1": 38 / 3, "r2": 43 / 3, "r3": 50 / 3,
        "s1": 26 / 3, "s2": 19 / 3, "s3": 14 / 3,
    },
    "fibonacci": {
        "pp": 31 / 3, "r1": 31 / 3 + 1.528, "r2": 31 / 3 + 2.472, "r3": 43 / 3,
        "s1": 31 / 3 - 1.528, "s2": 31 / 3 - 2.472, "s3": 19 / 3,
    },
    "camarilla": {
        "pp": 31 / 3, "r1": 11 + 4.4 / 12, "r2": 11 + 4.4 / 6, "r3": 12.1, "r4": 13.2,
        "s1": 11 - 4.4 / 12, "s2": 11 - 4.4 / 6, "s3": 9.9, "s4": 8.8,
    },
    "woodie": {"pp": 10.5, "r1": 13, "r2": 14.5, "s1": 9, "s2": 6.5},
    "demark": {"pp": 10.75, "r1": 13.5, "s1": 9.5},
}  # fmt: skip


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_by_hand(system: str) -> None:
    """Every system gives what its formula gives on paper."""
    levels = pivots(closed(0, 10, 12, 8, 11, timeframe="1d"), system)
    assert {level.key.rpartition(".")[2]: level.price for level in levels} == pytest.approx(
        SYSTEMS[system], abs=1e-12
    )


@pytest.mark.parametrize(
    ("open_", "close", "pivot"),
    [(10, 11, (2 * 12 + 8 + 11) / 4), (11, 10, (12 + 2 * 8 + 10) / 4), (10, 10, 40 / 4)],
)
def test_demark_weighs_by_direction(open_: float, close: float, pivot: float) -> None:
    """A rising day counts its high twice, a falling one its low, a level one its close."""
    assert pivots(closed(0, open_, 12, 8, close, timeframe="1d"), "demark")[0].price == pivot
