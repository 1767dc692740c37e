"""Firing once: on the edge, re-armed by distance, cooled down, capped. Level 100, a tick is 1."""

from tests.signals.play import FRIDAY, THURSDAY, Play, close, level, levels, rule_set, told

TOUCH = {"kind": "touch", "within_ticks": 2}
BREAK = {"kind": "break", "through_ticks": 3}


def test_a_rule_fires_on_the_edge_and_not_while_it_stays_true() -> None:
    """A hundred prices at the level are one touch."""
    assert told(Play(rule_set(TOUCH)).prices(90, *[99, 100] * 50)) == ["touch short 99"]


def test_leaving_by_less_than_the_rearm_distance_does_not_rearm() -> None:
    """Nine ticks away are not ten.

    100 ----------------------------------
     99    T        -           T
     91       *
     90                   *            10 ticks away: re-armed
    """
    assert told(Play(rule_set(TOUCH)).prices(85, 99, 91, 99)) == ["touch short 99"]
    assert told(Play(rule_set(TOUCH)).prices(85, 99, 90, 98)) == [
        "touch short 99",
        "touch short 98",
    ]


def test_the_other_side_rearms_too() -> None:
    """Distance counts, whichever side it is on."""
    expected = ["touch short 99", "touch long 101"]
    assert told(Play(rule_set(TOUCH)).prices(85, 99, 110, 101)) == expected


def test_no_chatter_around_the_level() -> None:
    """A price that swings around the level breaks it once, until it has been ten ticks away."""
    assert told(Play(rule_set(BREAK)).prices(97, 103, 97, 103, 97, 103)) == ["break long 103"]
    expected = ["break long 103", "break short 97"]
    assert told(Play(rule_set(BREAK)).prices(97, 103, 110, 97)) == expected


def test_a_gap_lands_far_enough_to_be_armed_again() -> None:
    """The firing price itself is the re-arm distance away, so the way back breaks as well."""
    expected = ["break long 120", "break short 97"]
    assert told(Play(rule_set(BREAK)).prices(97, 120, 97)) == expected


def test_within_the_cooldown_an_edge_passes_in_silence() -> None:
    """Re-armed after one second, but 60 s have to go by; the silent edge is not made up for."""
    cool = rule_set(TOUCH, life={"rearm_ticks": 10, "cooldown_s": 60})
    play = Play(cool)
    assert told(play.prices(85, 99, 85, 99)) == ["touch short 99"]
    assert told(play.prices(99, every_s=100)) == []
    assert told(play.prices(85, 99)) == ["touch short 99"]


def test_the_cooldown_ends_with_its_last_second() -> None:
    """A cooldown of 60 s is over after exactly 60 s."""
    cool = rule_set(TOUCH, life={"rearm_ticks": 10, "cooldown_s": 60})
    for seconds, count in ((58, 1), (59, 2)):
        play = Play(cool)
        signals = play.prices(85, 99, 85)
        assert len(signals + play.prices(99, every_s=seconds)) == count


def test_one_moment_fires_once() -> None:
    """Two touches at the same microsecond would have the same id, so the second is none."""
    signals = Play(rule_set(TOUCH)).prices(85, 99, 85, 99, every_s=0)
    assert len(signals) == len({signal.id for signal in signals}) == 1


def test_levels_and_rules_are_armed_one_by_one() -> None:
    """A touch of one level leaves the other levels armed."""
    keys = ["previous_day.*"]
    both = rule_set({**TOUCH, "levels": keys})
    play = Play(both, level(100), level(105, key="previous_day.low"))
    assert told(play.prices(90, 99, 104)) == ["touch short 99", "touch short 104"]


def test_the_cap_counts_what_it_suppresses() -> None:
    """Two a day are told, the third and fourth are counted, and the view shows both numbers."""
    play = Play(rule_set(TOUCH, signals_a_day_max=2))
    assert len(play.prices(*[85, 99] * 4)) == 2
    assert play.step.views() == {"TEST": '{"sent":{"test":2},"suppressed":{"test":2},"waiting":{}}'}
    assert play.step.views() == {}


def test_the_next_session_starts_at_zero() -> None:
    """The daily candle's close ends the session; the market's day counts, not the clock's."""
    play = Play(rule_set(TOUCH, signals_a_day_max=1))
    assert len(play.prices(*[85, 99] * 2)) == 1
    play.send(close(FRIDAY, "1m"))
    assert len(play.prices(85, 99)) == 0
    play.send(close(FRIDAY, "1m", "1d"))
    assert len(play.prices(*[85, 99] * 2)) == 1


def test_signals_before_a_sessions_first_close_count_for_it() -> None:
    """The first minute of a session ends after its first signals; they are not forgotten."""
    play = Play(rule_set(TOUCH, signals_a_day_max=1))
    play.send(close(THURSDAY, "1m", "1d"))
    assert len(play.prices(85, 99)) == 1
    play.send(close(FRIDAY, "1m"))
    assert len(play.prices(85, 99)) == 0


def test_a_session_that_ended_unseen_is_over_too() -> None:
    """A close of another session resets the counts even if the daily close was missed."""
    play = Play(rule_set(TOUCH, signals_a_day_max=1))
    play.send(close(THURSDAY, "1m"))
    assert len(play.prices(*[85, 99] * 2)) == 1
    play.send(close(FRIDAY, "1m"))
    assert len(play.prices(85, 99)) == 1


def test_a_suppressed_signal_disarms_like_a_told_one() -> None:
    """The cap changes what is told, not what is recognised."""
    play = Play(rule_set(TOUCH, signals_a_day_max=1))
    play.prices(85, 99, 85, 99)
    play.send(close(FRIDAY, "1d"))
    assert told(play.prices(91, 99)) == []


def test_levels_that_stay_keep_their_arming() -> None:
    """A new reading of the timeframe with the same level changes nothing."""
    play = Play(rule_set({**TOUCH, "levels": ["*"]}))
    play.prices(85, 99)
    play.send(levels(level(100), level(300, key="other")))
    assert told(play.prices(95, 99)) == []


def test_levels_that_are_replaced_start_armed() -> None:
    """The same key formed at another time is another level."""
    play = Play(rule_set(TOUCH))
    play.prices(85, 99)
    play.send(levels(level(100, formed_at=FRIDAY)))
    assert told(play.prices(95, 99)) == ["touch short 99"]


def test_a_level_that_went_away_fires_no_more() -> None:
    """The next reading of its timeframe has none; another timeframe's reading does not matter."""
    play = Play(rule_set(TOUCH))
    play.send(levels(timeframe="1h"))
    assert told(play.prices(85, 99)) == ["touch short 99"]
    play.send(levels())
    assert told(play.prices(85, 99)) == []
