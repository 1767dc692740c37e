"""Touch: the price comes within N ticks of the level, from a side. Level 100, a tick is 1."""

import pytest

from tests.signals.play import KEY, Play, instrument, level, levels, rule_set, told

TOUCH = rule_set({"kind": "touch", "within_ticks": 2, "gap_ticks": 20})


def test_coming_near_from_below_is_a_touch_and_short() -> None:
    """The first price within two ticks fires, and those that stay near do not.

    100 ----------------------
     99             *
     98       *  *     *
     97    *
     90 *
           no  T  -  -  -
    """
    assert told(Play(TOUCH).prices(90, 97, 98, 98, 99, 98)) == ["touch short 98"]


def test_coming_near_from_above_is_a_touch_and_long() -> None:
    """The mirror image: support holds, so the direction is long."""
    assert told(Play(TOUCH).prices(110, 103, 102, 101)) == ["touch long 102"]


def test_the_exact_level_and_a_small_step_beyond_it_are_touches() -> None:
    """On the level, or through it by no more than N ticks in an ordinary step."""
    assert told(Play(TOUCH).prices(95, 100)) == ["touch short 100"]
    assert told(Play(TOUCH).prices(95, 101)) == ["touch short 101"]


def test_passing_the_level_without_a_price_near_it_is_no_touch() -> None:
    """97 to 103 leaves no price within two ticks: that is what break is for."""
    assert told(Play(TOUCH).prices(97, 103, 110)) == []


def test_a_gap_over_the_level_that_ends_near_it_is_no_touch() -> None:
    """A jump of 31 ticks with a gap limit of 20 lands one tick beyond: a break, no touch."""
    assert told(Play(TOUCH).prices(70, 101)) == []


def test_a_gap_that_stops_before_the_level_is_a_touch() -> None:
    """The jump did not pass the level, so the price is at it from below."""
    assert told(Play(TOUCH).prices(70, 99)) == ["touch short 99"]


def test_the_first_price_of_all_has_no_side() -> None:
    """Where the price came from is not known, so nothing fires until it has left and come back."""
    assert told(Play(TOUCH).prices(99, 98, 97, 98)) == ["touch short 98"]


def test_a_level_born_where_the_price_stands_is_not_touched() -> None:
    """A new level two ticks from the price fires only after the price was away."""
    play = Play(TOUCH, level(500))
    play.prices(99, 100)
    play.send(levels(level(100)))
    assert told(play.prices(101, 99, 103, 102)) == ["touch long 102"]


def test_distances_are_exact_in_decimal_ticks() -> None:
    """1.08510 is two ticks of 0.00001 from 1.08512, though their binary difference is more."""
    assert 1.08512 - 1.08510 > 2 * 0.00001
    play = Play(TOUCH, level(5))
    play.send(instrument(tick_size=0.00001, decimals=5), levels(level(1.08512)))
    (signal,) = play.prices(1.08500, 1.08509, 1.08510)
    assert signal.price == 1.08510
    assert signal.reason == "TEST touched yesterday's high 1.08512 from below at 1.08510"


def test_distances_are_exact_from_above_too() -> None:
    """1.08502 is two ticks of 0.00001 from 1.08500 and counts, though its binary form is beyond."""
    assert 1.08502 > 1.08500 + 2 * 0.00001
    play = Play(TOUCH, level(5))
    play.send(instrument(tick_size=0.00001, decimals=5), levels(level(1.08500)))
    assert told(play.prices(1.08510, 1.08503, 1.08502)) == ["touch long 1.08502"]


def test_the_signal_names_every_number() -> None:
    """The operands are all that the decision used."""
    (signal,) = Play(TOUCH).prices(97, 98)
    assert signal.operands == {
        "price": 98,
        "previous_price": 97,
        "level": 100,
        "tick_size": 1,
        "distance_ticks": -2,
        "within_ticks": 2,
        "gap_ticks": 20,
    }
    assert signal.level == f"{KEY}@2026-11-19T00:00Z"
    assert signal.id == (
        f"signal_generated:TEST:test.rule@{TOUCH.rules[0].version}:"
        f"1d.{KEY}@2026-11-19T00:00Z:2026-11-20T00:00:02Z"
    )
    assert signal.cause == "tick:TEST:test:2026-11-20T00:00:02Z:0"


@pytest.mark.parametrize("prices", [(97, 98), (103, 102)])
def test_zero_ticks_means_the_level_itself(prices: tuple[float, ...]) -> None:
    """With within_ticks 0 only the exact price is a touch."""
    exact = Play(rule_set({"kind": "touch", "within_ticks": 0}))
    assert told(exact.prices(*prices)) == []
    assert [signal.price for signal in exact.prices(100)] == [100]
