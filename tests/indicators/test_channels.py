"""Levels that follow the price: Donchian's channel, ATR stops, opening ranges, round numbers."""

import random
from decimal import Decimal

import pytest

from services.indicators.domain.levels.atr_stop import AtrStop, AtrStopState
from services.indicators.domain.levels.base import LevelState
from services.indicators.domain.levels.donchian import Donchian
from services.indicators.domain.levels.opening_range import OpeningRange
from services.indicators.domain.levels.round_numbers import RoundNumbers, neighbours
from shared.events import CandleClosed
from tests.indicators.candles import FIRST, closed, ranges

MINUTE = 60_000_000


def feed(state: LevelState, candles: list[CandleClosed]) -> list[tuple[str, str]]:
    """What ended over these candles."""
    ended: list[tuple[str, str]] = []
    for candle in candles:
        state.update(candle)
        ended += [(one.ref, one.by) for one in state.ended]
    return ended


def seen(state: LevelState) -> list[tuple[str, float, int, int]]:
    """Key and price, and the minutes at whose end the level formed and was confirmed."""
    return [
        (
            level.key,
            level.price,
            (level.formed_at - FIRST) // MINUTE,
            (level.confirmed_at - FIRST) // MINUTE,
        )
        for level in state.levels
    ]


def test_channel_is_formed_by_the_candles_that_made_it() -> None:
    """The borders carry the end of the candle with the extreme, and are replaced when it leaves."""
    state = Donchian(3).start()
    candles = ranges((5, 1), (9, 3), (6, 2), (5, 2.5), (7, 4))
    assert feed(state, candles[:2]) == []
    assert seen(state) == []
    assert feed(state, candles[2:3]) == []
    assert seen(state) == [("donchian:3.upper", 9, 2, 2), ("donchian:3.lower", 1, 1, 1)]
    assert feed(state, candles[3:4]) == [("donchian:3.lower@2026-11-16T00:01Z", "replaced")]
    assert feed(state, candles[4:]) == [("donchian:3.upper@2026-11-16T00:02Z", "replaced")]
    assert seen(state) == [("donchian:3.upper", 7, 5, 5), ("donchian:3.lower", 2, 3, 3)]


def stop() -> AtrStopState:
    """Stops two ATRs away after three candles of range 2 around 10: 14 and 6."""
    state = AtrStopState(AtrStop(2, 2.0))
    feed(state, [closed(n, 10, 11, 9, 10) for n in range(3)])
    return state


def test_stops_stand_on_both_sides() -> None:
    """Both begin with the first ATR, and nothing has flipped."""
    state = stop()
    assert seen(state) == [("atr_stop:2:2.upper", 14, 3, 3), ("atr_stop:2:2.lower", 6, 3, 3)]
    assert state.trend is None


def test_stop_only_tightens() -> None:
    """A higher close draws the lower stop up and leaves the upper one where it was."""
    state = stop()
    # True range 2, so the ATR stays 2 and the lower stop follows at 11 - 4.
    assert feed(state, [closed(3, 10, 11, 9, 11)]) == []
    assert seen(state) == [("atr_stop:2:2.upper", 14, 3, 3), ("atr_stop:2:2.lower", 7, 3, 4)]


def test_close_beyond_flips_the_trend() -> None:
    """A close above the upper stop breaks it: up. A close below the lower one: down."""
    state = stop()
    # True range 6, ATR (2 + 6) / 2 = 4: the new upper stop is 15 + 8, the lower one 15 - 8.
    assert feed(state, [closed(3, 10, 15, 9, 15)]) == [
        ("atr_stop:2:2.upper@2026-11-16T00:03Z", "broken")
    ]
    assert state.trend == 1
    assert seen(state) == [("atr_stop:2:2.upper", 23, 4, 4), ("atr_stop:2:2.lower", 7, 3, 4)]
    assert feed(state, [closed(4, 15, 15, 6, 6)]) == [
        ("atr_stop:2:2.lower@2026-11-16T00:03Z", "broken")
    ]
    assert state.trend == -1


def minutes(first: int, *high_low: tuple[float, float]) -> list[CandleClosed]:
    """5m candles from a number of candles after midnight."""
    return [
        closed(first + n, low, high, low, high, timeframe="5m")
        for n, (high, low) in enumerate(high_low)
    ]


def test_opening_range_is_known_at_its_end() -> None:
    """The first ten minutes' high and low hold until the next session's first candle."""
    state = OpeningRange(10).start()
    candles = minutes(0, (12, 9), (11, 8), (20, 1))
    assert feed(state, candles[:1]) == []
    assert seen(state) == []
    feed(state, candles[1:])
    expected = [("opening_range:10.high", 12, 5, 10), ("opening_range:10.low", 8, 10, 10)]
    assert seen(state) == expected
    assert feed(state, minutes(288, (5, 4))) == [
        ("opening_range:10.high@2026-11-16T00:05Z", "expired"),
        ("opening_range:10.low@2026-11-16T00:10Z", "expired"),
    ]
    assert seen(state) == []


def test_opening_range_of_a_session_joined_late_is_unknown() -> None:
    """A session whose beginning was not seen has no opening range."""
    state = OpeningRange(10).start()
    feed(state, minutes(1, (12, 9), (11, 8), (20, 1)))
    assert seen(state) == []


def test_opening_range_with_a_silent_end_is_known_later() -> None:
    """Where the range's last candle never came, the next one confirms it and does not count."""
    state = OpeningRange(10).start()
    feed(state, [*minutes(0, (12, 9)), *minutes(2, (20, 1))])
    assert seen(state) == [("opening_range:10.high", 12, 5, 15), ("opening_range:10.low", 9, 5, 15)]


@pytest.mark.parametrize(
    ("price", "below", "above"),
    [
        (1.08463, 1.08, 1.09),
        (1.08, 1.07, 1.09),
        (15817.3, 15800, 15900),
        (18.43, 18.4, 18.5),
        (0.999, 0.998, 1.0),
        (1.0, 0.999, 1.01),
        (99.95, 99.9, 100.0),
    ],
)
def test_round_numbers_around_a_price(price: float, below: float, above: float) -> None:
    """With three digits: what people would call the next round prices."""
    assert neighbours(price, 3) == (below, above)


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_nothing_rounder_lies_between_a_price_and_its_neighbours(digits: int) -> None:
    """Against a search among all numbers of so many digits, powers of ten included."""
    draw = random.Random(digits)
    drawn = [round(10 ** draw.uniform(-3, 5), draw.randrange(5)) for _ in range(60)]
    for price in [0.01, 0.1, 1.0, 10.0, 1000.0, *(one for one in drawn if one > 0)]:
        exact = Decimal(repr(price))
        size = exact.adjusted()
        around = [Decimal(n).scaleb(size + e - digits) for n in range(10**digits) for e in (0, 1)]
        below = max(one for one in around if one < exact)
        above = min(one for one in (*around, Decimal(10).scaleb(size)) if one > exact)
        assert neighbours(price, digits) == (float(below), float(above))


def test_round_number_stays_until_it_is_passed() -> None:
    """The neighbours carry the candle that made them so; passing one replaces both."""
    state = RoundNumbers().start()
    quiet = [closed(n, 1.085, 1.086, 1.084, 1.085) for n in range(3)]
    assert feed(state, quiet) == []
    assert seen(state) == [("round_number.above", 1.09, 1, 1), ("round_number.below", 1.08, 1, 1)]
    assert feed(state, [closed(3, 1.085, 1.095, 1.085, 1.092)]) == [
        ("round_number.above@2026-11-16T00:01Z", "replaced"),
        ("round_number.below@2026-11-16T00:01Z", "replaced"),
    ]
    assert seen(state) == [("round_number.above", 1.1, 4, 4), ("round_number.below", 1.09, 4, 4)]
