"""The last day, week and month that is over: its high, low, open and close."""

from pathlib import Path

import pytest

from services.indicators.domain.catalogue import parse
from services.indicators.domain.levels.base import LevelState
from services.indicators.domain.levels.previous import trading_day, trading_month, trading_week
from shared.events import CandleClosed, Level
from tests.indicators.candles import at, closed, daily, recorded

DAY_US = 86_400_000_000


def levels_after(candles: list[CandleClosed], recipe: str) -> dict[str, Level]:
    state = parse(recipe).start()
    assert isinstance(state, LevelState)
    for candle in candles:
        state.update(candle)
    return {level.key: level for level in state.levels}


@pytest.mark.parametrize(
    ("file", "day", "high", "low"),
    [
        ("snowguru/EURUSD_D1.csv.gz", "2023-08-22", 1.09303, 1.08329),
        ("vix-daily.csv.gz", "2019-02-14", 17.27, 15.3),
    ],
)
def test_day_of_a_published_file(
    shared_data: Path, file: str, day: str, high: float, low: float
) -> None:
    """After a named day's candle its high and low, read off the file by hand, are the levels."""
    until = [c for c in daily(shared_data / "daily" / file) if c.open_at <= at(day)]
    levels = levels_after(until, "previous_day")
    end = at(day) + DAY_US
    high_level, low_level = levels["previous_day.high"], levels["previous_day.low"]
    assert (high_level.price, high_level.side) == (high, "resistance")
    assert (low_level.price, low_level.side) == (low, "support")
    assert {(level.formed_at, level.confirmed_at) for level in levels.values()} == {(end, end)}


def test_day_and_week_of_recorded_minutes(shared_data: Path) -> None:
    """From minutes, levels form where the minute was, and are known with the next period's first.

    EURUSD from 2014-05-05 21:00Z to 05-06 21:00Z and from 05-04 21:00Z to 05-09 21:00Z, extremes
    found in the file with awk; no price came in the first two minutes of either day.
    """
    path = shared_data / "recorded/demo_fx_gold_1m_20140501_15.csv.gz"
    minutes = list(recorded(path, "EURUSD"))
    day = levels_after([c for c in minutes if c.at <= at("2014-05-06T21:03")], "previous_day")
    assert [
        (key, level.price, level.formed_at, level.confirmed_at) for key, level in day.items()
    ] == [
        ("previous_day.high", 1.39516, at("2014-05-06T12:23"), at("2014-05-06T21:03")),
        ("previous_day.low", 1.387225, at("2014-05-06T00:11"), at("2014-05-06T21:03")),
        ("previous_day.open", 1.387605, at("2014-05-05T21:03"), at("2014-05-06T21:03")),
        ("previous_day.close", 1.39276, at("2014-05-06T21:00"), at("2014-05-06T21:03")),
    ]
    week = levels_after([c for c in minutes if c.at <= at("2014-05-11T21:01")], "previous_week")
    assert [(level.price, level.confirmed_at) for level in week.values()] == [
        (1.39938, at("2014-05-11T21:01")),
        (1.37451, at("2014-05-11T21:01")),
        (1.388505, at("2014-05-11T21:01")),
        (1.37599, at("2014-05-11T21:01")),
    ]


def test_week_before_its_end_is_not_known() -> None:
    """While a week runs, only the week before it is shown, and the first one seen never is."""
    days = [closed(n, 10, 12 + n, 8, 11, timeframe="1d") for n in range(14)]
    assert levels_after(days[:14], "previous_week") == {}
    # Weeks from Monday 2026-11-16: days 0..6 are the first seen, 7..13 the next.
    third = closed(14, 10, 11, 9, 10, timeframe="1d")
    assert levels_after([*days, third], "previous_week")["previous_week.high"].price == 25


def test_month_goes_by_trading_dates() -> None:
    """A month holds the sessions whose trading date lies in it."""
    days = [closed(n, 10, 12 + n, 8, 11, timeframe="1d") for n in range(46)]
    # 2026-11-16 is day 0, so December is days 15 to 45.
    assert levels_after(days, "previous_month") == {}
    january = closed(46, 10, 11, 9, 10, timeframe="1d")
    assert levels_after([*days, january], "previous_month")["previous_month.high"].price == 57


def test_replaced_day_says_so() -> None:
    """The next day's candle ends all four levels of the day before."""
    state = parse("previous_day").start()
    assert isinstance(state, LevelState)
    state.update(closed(0, 10, 12, 8, 11, timeframe="1d"))
    assert not state.ended
    state.update(closed(1, 10, 13, 8, 11, timeframe="1d"))
    assert [(ended.ref, ended.by) for ended in state.ended] == [
        ("previous_day.high@2026-11-17T00:00Z", "replaced"),
        ("previous_day.low@2026-11-17T00:00Z", "replaced"),
        ("previous_day.open@2026-11-17T00:00Z", "replaced"),
        ("previous_day.close@2026-11-17T00:00Z", "replaced"),
    ]


def test_evening_opens_belong_to_the_next_date() -> None:
    """FX's Sunday evening is Monday's session; Xetra's morning and New York's noon stay."""
    assert trading_day(at("2026-11-15T22:00")) == trading_day(at("2026-11-16T08:00"))
    assert trading_day(at("2026-11-16T14:30")) == trading_day(at("2026-11-16T08:00"))
    assert trading_week(at("2026-11-15T22:00")) == trading_week(at("2026-11-20T08:00"))
    assert trading_week(at("2026-11-15T08:00")) == trading_week(at("2026-11-16T08:00")) - 1
    assert trading_month(at("2026-11-30T22:00")) == trading_month(at("2026-12-01T08:00"))
