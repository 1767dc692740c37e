"""Feeds that give candles and no ticks: the way of the price inside a candle. Level 100, tick 1."""

import pytest

from services.signals.domain.paths import path
from shared.events import CandleIn
from shared.events.candle import Origin
from tests.signals.play import FRIDAY, MINUTE, SYMBOL, Play, rule_set, told

TOUCH = rule_set({"kind": "touch", "within_ticks": 2})
BREAK = rule_set({"kind": "break", "through_ticks": 3, "gap_ticks": 20})
SWEEP = rule_set({"kind": "sweep", "through_ticks": 3, "window_s": 60})


def candle(
    prices: tuple[float, float, float, float], number: int = 1, origin: Origin = "live"
) -> CandleIn:
    """Open, high, low, close of the so many-th minute."""
    open_, high, low, close = prices
    return CandleIn(
        symbol=SYMBOL,
        at=FRIDAY + number * MINUTE,
        pos=number + 1,
        timeframe="1m",
        open_at=FRIDAY + (number - 1) * MINUTE,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=0,
        source="test",
        origin=origin,
    )


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        # Nearer to the low: low first.
        ((100, 110, 95, 105), [100, 95, 110, 105]),
        # Nearer to the high: high first.
        ((105, 110, 90, 95), [105, 110, 90, 95]),
        # As near to both: low first.
        ((100, 105, 95, 100), [100, 95, 105, 100]),
        # Opened at the low, closed at the high: nothing comes twice in a row.
        ((95, 110, 95, 110), [95, 110]),
        ((100, 100, 100, 100), [100]),
    ],
)
def test_the_corners_in_order(
    prices: tuple[float, float, float, float], expected: list[float]
) -> None:
    """Open, nearer extreme, other extreme, close."""
    assert list(path(candle(prices), [])) == expected


def test_marks_are_passed_each_time_on_the_way() -> None:
    """100 to 95, up to 110 and back to 105: 98 twice, 108 twice, 120 never, 95 as a corner.

    110              *
    108            +   +
    105                  *
    100  *
     98    +     +
     95       *
    """
    passed = list(path(candle((100, 110, 95, 105)), [108, 98, 120, 95]))
    assert passed == [100, 98, 95, 98, 108, 110, 108, 105]


def test_a_candle_through_the_level_touched_it() -> None:
    """From 95 to 106 the price was at 100 for certain, though no corner is near it."""
    (signal,) = Play(TOUCH).send(candle((95, 106, 95, 106)))
    assert told([signal]) == ["touch short 100"]
    assert signal.cause == "candle_in:TEST:1m:test:2026-11-20T00:01Z"


def test_a_long_candle_is_no_gap_but_a_jump_between_two_is() -> None:
    """Inside the candle the price traded through; from 95 to the next open it did not."""
    assert told(Play(BREAK).send(candle((95, 130, 95, 130)))) == ["break long 130"]
    two = (candle((95, 95, 95, 95)), candle((130, 130, 130, 130), 2))
    assert told(Play(BREAK).send(*two)) == ["break long 130 gap"]


def test_a_candle_that_pierces_and_closes_back_is_a_sweep() -> None:
    """Open 97, high 107, low 96, close 98: out above and back in within the minute."""
    (signal,) = Play(SWEEP).send(candle((97, 107, 96, 98)))
    assert told([signal]) == ["sweep short 100"]
    assert signal.operands["extreme"] == 107


@pytest.mark.parametrize("origin", ["seed", "backfill"])
def test_seeds_and_fills_do_not_fire(origin: Origin) -> None:
    """They are the past."""
    assert Play(TOUCH).send(candle((95, 106, 95, 106), origin=origin)) == []
