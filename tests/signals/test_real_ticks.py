"""A whole day of real EURUSD ticks past the low and high of the day before, against brute force."""

import csv
import gzip
from datetime import datetime
from pathlib import Path

import pytest

from services.signals.adapters.rule_files import load
from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import SignalGenerated
from shared.events.base import micros
from tests.signals.naive import Point, firings
from tests.signals.play import instrument, level, levels, names, rules, tick

# Oanda's minute bars of 2014-05-01, 00:00 to 21:00 UTC: the low 1.386285 was made in the minute
# from 15:30, the high 1.388925 in that from 07:21. In half ticks, so that all numbers are whole.
LEVELS = {"previous_day.high": 277_785, "previous_day.low": 277_257}
HALF_TICK = 0.000005


@pytest.fixture(scope="module")
def day(shared_data: Path) -> list[tuple[int, int]]:
    """Times and mid prices in half ticks of 2014-05-02, the day of the payrolls."""
    path = shared_data / "recorded" / "ticks_eurusd_oanda_20140502.csv.gz"
    with gzip.open(path, "rt") as file:
        return [
            (
                micros(datetime.fromisoformat(row["ts_utc"])),
                round((float(row["bid"]) + float(row["ask"])) * 100_000),
            )
            for row in csv.DictReader(file)
        ]


def liquidity(fires: str = "every_time") -> RuleSet:
    """The shipped set without its cap; told every time, there is more to compare."""
    (rule_set,) = load(["liquidity"], [])
    body = rule_set.body | {"signals_a_day_max": 1000}
    for rule in body["rules"]:
        rule["life"] = {"rearm_ticks": 60, "cooldown_s": 1800, "fires": fires}
    return RuleSet.model_validate(body)


def played(day: list[tuple[int, int]], fires: str = "every_time") -> list[SignalGenerated]:
    step = SignalsStep({})
    given = [level(round(half * HALF_TICK, 6), key=key) for key, half in LEVELS.items()]
    step.process([rules(liquidity(fires)), instrument(tick_size=1e-5, decimals=5), levels(*given)])
    signals = step.process(
        [
            tick(round(half * HALF_TICK, 6), at, number + 2, number)
            for number, (at, half) in enumerate(day)
        ]
    )
    return [signal for signal in signals if isinstance(signal, SignalGenerated)]


def test_the_morning_at_yesterdays_low(day: list[tuple[int, int]]) -> None:
    """Read off the file by eye: touched, broken by ten ticks, and back after 82 seconds.

    00:54:20.301 mid 1.386300 is the first within two ticks of 1.386285.
    00:55:02.728 mid 1.386170 is the first ten ticks below it (1.386185).
    00:56:24.811 mid 1.386305 is the first two ticks above it (1.386305) after the pierce.
    """
    expected = [
        "touch long 00:54:20.301 TEST touched yesterday's low 1.38628 from above at 1.38630",
        "break short 00:55:02.728 TEST broke yesterday's low 1.38628 downwards at 1.38617",
        "sweep long 00:56:24.811 TEST swept yesterday's low 1.38628 downwards to 1.38607 and was "
        "back at 1.38630 after 1 min",
    ]
    assert [
        f"{signal.action} {signal.direction} {signal.id[-16:-4]} {signal.reason}"
        for signal in played(day)[:3]
    ] == expected


@pytest.mark.parametrize(("fires", "more_than"), [("every_time", 10), ("once", 2)])
def test_the_whole_day_equals_brute_force(
    day: list[tuple[int, int]], fires: str, more_than: int
) -> None:
    """Every rule at both levels, signal by signal over 49,341 ticks."""
    way = [Point(half, at, cut=False) for at, half in day]
    expected = sorted(
        (way[found.index].at, rule.name, key, found.direction, found.gap)
        for rule in liquidity(fires).rules
        for key, half in LEVELS.items()
        if names(rule, key)
        for found in firings(rule, half, way)
    )
    signals = played(day, fires)
    assert len(signals) > more_than
    assert expected == sorted(
        (signal.at, signal.rule, signal.level.partition("@")[0], signal.direction, signal.gap)
        for signal in signals
    )
