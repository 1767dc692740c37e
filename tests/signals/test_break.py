"""Break: the price goes through the level. Level 100, a tick is 1, three ticks through."""

from shared.events import Gap
from tests.signals.play import FRIDAY, SYMBOL, THURSDAY, Play, close, level, levels, rule_set, told

BREAK = rule_set({"kind": "break", "through_ticks": 3, "gap_ticks": 20})


def test_going_through_upwards_is_a_break_and_long() -> None:
    """The first price three ticks beyond fires.

    103                *  *
    101          *
    100 -----------------------
     99    *  *
           -  -  -  B  -
    """
    assert told(Play(BREAK).prices(99, 99, 101, 103, 104)) == ["break long 103"]


def test_going_through_downwards_is_a_break_and_short() -> None:
    """The mirror image."""
    assert told(Play(BREAK).prices(101, 98, 97)) == ["break short 97"]


def test_a_price_that_returns_before_three_ticks_has_not_broken() -> None:
    """102 is two ticks through; coming back leaves everything as it was."""
    assert told(Play(BREAK).prices(99, 102, 98, 102, 99)) == []


def test_a_jump_over_the_level_is_one_break_marked_gap() -> None:
    """31 ticks in one step with a limit of 20: no price was seen at the level.

    120          *  *
    100 -----------------
     89    *
           -  G  -
    """
    (signal,) = Play(BREAK).prices(89, 120, 121)
    assert told([signal]) == ["break long 120 gap"]
    assert signal.reason == "TEST broke yesterday's high 100 upwards at 120, in a gap from 89"
    assert signal.operands["gap_ticks"] == 20


def test_a_step_of_exactly_the_limit_is_no_gap() -> None:
    """Larger than gap_ticks, not as large."""
    assert told(Play(BREAK).prices(90, 110)) == ["break long 110"]
    assert told(Play(BREAK).prices(90, 111)) == ["break long 111 gap"]


def test_any_jump_over_the_level_between_sessions_is_a_gap() -> None:
    """The daily candle closed between 98 and 104, so the six ticks are a gap."""
    play = Play(BREAK)
    assert told(play.prices(98)) == []
    play.send(close(THURSDAY, "1m", "1d"))
    assert told(play.prices(104)) == ["break long 104 gap"]


def test_the_end_of_a_candle_inside_a_session_makes_no_gap() -> None:
    """A close of a minute is no cut."""
    play = Play(BREAK)
    play.prices(98)
    play.send(close(FRIDAY, "1m", "5m"))
    assert told(play.prices(104)) == ["break long 104"]


def test_a_jump_over_lost_prices_is_a_gap() -> None:
    """The spine says that prices are lost, so nobody knows how the level was passed."""
    play = Play(BREAK)
    play.prices(98)
    play.send(Gap(symbol=SYMBOL, at=play.at, pos=3, since=FRIDAY, reason="outage"))
    assert told(play.prices(104)) == ["break long 104 gap"]


def test_only_the_first_move_after_a_cut_is_cut() -> None:
    """The session opened at 99; what passes the level later passes it in the open."""
    play = Play(BREAK)
    play.prices(98)
    play.send(close(THURSDAY, "1d"))
    assert told(play.prices(99, 104)) == ["break long 104"]


def test_what_was_over_before_the_first_price_cuts_nothing() -> None:
    """A session's end and lost prices lie before 98; from there to 104 nothing does."""
    play = Play(BREAK)
    play.send(close(THURSDAY, "1d"))
    play.send(Gap(symbol=SYMBOL, at=play.at, pos=3, since=FRIDAY, reason="outage"))
    assert told(play.prices(98, 104)) == ["break long 104"]


def test_a_gap_that_starts_beyond_the_level_is_no_gap_over_it() -> None:
    """At 101 the price was through already: the jump from there did not pass the level."""
    assert told(Play(BREAK).prices(99, 101, 140)) == ["break long 140"]


def test_a_level_born_at_the_price_is_not_broken_by_leaving_it() -> None:
    """The price never was on one side of it."""
    assert told(Play(BREAK).prices(100, 104, 130)) == []


def test_a_new_level_knows_the_side_from_the_last_price() -> None:
    """The level appears between two prices, and the second one breaks it."""
    play = Play(BREAK, level(5))
    play.prices(98)
    play.send(levels(level(100)))
    assert told(play.prices(104)) == ["break long 104"]


def test_a_level_that_moves_past_the_price_is_not_broken_by_that() -> None:
    """A level with the same ref and a new price is the same level; only prices break it.

    110 ------------.
    104        *    |   *
     95             '--------     the level went below the price: no break
     91                     *     the price went below the level: a break
    """
    play = Play(BREAK, level(110))
    play.prices(104)
    play.send(levels(level(95)))
    assert told(play.prices(104, 105, 91)) == ["break short 91"]
