"""Sweep: through the level and back within the window. Level 100, a tick is 1."""

import pytest

from tests.signals.play import Play, rule_set, told

WHEN = {"kind": "sweep", "through_ticks": 3, "back_ticks": 1, "window_s": 60}
SWEEP = rule_set(WHEN)


def test_out_above_and_back_in_is_a_sweep_and_short() -> None:
    """Through by three ticks, back one tick below, 30 seconds later.

    107             *
    103          *
    100 -------------------------
     99                   *
     97    *
           -  P  -  S            P the pierce, S the signal
    """
    (signal,) = Play(SWEEP).prices(97, 103, 107, 99, every_s=15)
    assert told([signal]) == ["sweep short 99"]
    assert signal.reason == (
        "TEST swept yesterday's high 100 upwards to 107 and was back at 99 after 30 s"
    )
    assert signal.operands == {
        "price": 99,
        "previous_price": 107,
        "level": 100,
        "tick_size": 1,
        "distance_ticks": -1,
        "through_ticks": 3,
        "back_ticks": 1,
        "gap_ticks": 50,
        "extreme": 107,
        "depth_ticks": 7,
        "outside_s": 30,
        "outside_prices": 2,
        "window_s": 60,
    }


def test_out_below_and_back_in_is_a_sweep_and_long() -> None:
    """The mirror image."""
    assert told(Play(SWEEP).prices(103, 97, 93, 101)) == ["sweep long 101"]


def test_two_ticks_through_are_not_through() -> None:
    """The pierce needs its three ticks."""
    assert told(Play(SWEEP).prices(97, 102, 97)) == []


def test_back_at_the_level_is_not_yet_back() -> None:
    """With back_ticks 1 the price has to come back one tick before the level."""
    assert told(Play(SWEEP).prices(97, 104, 100, 99)) == ["sweep short 99"]


def test_back_exactly_at_the_windows_end_is_in_time() -> None:
    """Sixty seconds after the pierce still count, the next moment does not."""
    play = Play(SWEEP)
    play.prices(97, 104)
    assert told(play.prices(99, every_s=60)) == ["sweep short 99"]
    play = Play(SWEEP)
    play.prices(97, 104)
    assert told(play.prices(99, every_s=60.000001)) == []


def test_who_stays_out_too_long_has_broken_and_lives_on_the_other_side() -> None:
    """After the window the price's own side is above, so the way back down is a new pierce.

    104    *  .  .  *
    103                     *
    101                        *
    100 ---------------------------
     96                  *
           P  window | flip P    S
    """
    play = Play(SWEEP)
    play.prices(97, 104)
    assert told(play.prices(104, every_s=61)) == []
    assert told(play.prices(96, 101)) == ["sweep long 101"]


def test_the_late_return_itself_can_be_the_new_pierce() -> None:
    """The price that ends the window lies three ticks below: through, seen from above."""
    play = Play(SWEEP)
    play.prices(97, 104)
    assert told(play.prices(96, every_s=61)) == []
    assert told(play.prices(101)) == ["sweep long 101"]


def test_the_windows_end_is_seen_though_the_price_stands_still() -> None:
    """Four ticks make it back, two make it through: 97 is neither back nor, in time, a pierce.

    104    *                       *
    100 ----------------------------
     97       *        *                seen from above, 97 is through from the window's end on
           P  -  window|P          S
    """
    when = {**WHEN, "through_ticks": 2, "back_ticks": 4}
    play = Play(rule_set(when))
    assert told(play.prices(95, 104, 97)) == []
    assert told(play.prices(97, every_s=60)) == []
    assert told(play.prices(104)) == ["sweep long 104"]


def test_the_window_can_be_a_number_of_prices() -> None:
    """Two further prices may pass; the third is too late."""
    when = {"kind": "sweep", "through_ticks": 3, "window_prices": 2}
    assert told(Play(rule_set(when)).prices(97, 104, 104, 99)) == ["sweep short 99"]
    assert told(Play(rule_set(when)).prices(97, 104, 104, 104, 99)) == []


def test_too_deep_is_a_break_and_no_sweep() -> None:
    """Deeper than eight ticks, at once or later, ends it; eight ticks are a sweep."""
    shallow = rule_set({**WHEN, "depth_ticks_max": 8})
    assert told(Play(shallow).prices(97, 104, 108, 99)) == ["sweep short 99"]
    assert told(Play(shallow).prices(97, 104, 109, 99)) == []
    assert told(Play(shallow).prices(97, 109, 99)) == []


def test_a_sweep_whose_pierce_jumped_over_the_level_says_so() -> None:
    """Out with a gap of 60 ticks, back in steps: the signal is marked gap."""
    assert told(Play(SWEEP).prices(60, 120, 101, 99)) == ["sweep short 99 gap"]


@pytest.mark.parametrize("restart_after", range(5))
def test_a_pierce_survives_a_restart(restart_after: int) -> None:
    """Whenever the process is replaced, the sweep is found with the same numbers."""
    play, signals = Play(SWEEP), []
    for index, price in enumerate((97, 103, 107, 104, 99)):
        signals += play.prices(price)
        if index == restart_after:
            play.restart()
    assert told(signals) == ["sweep short 99"]
    assert signals[0].operands["extreme"] == 107
    assert signals[0].operands["outside_prices"] == 3
