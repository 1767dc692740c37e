"""The stage of one partition: what it takes from the spine, keeps and refuses."""

import json

import pytest

from services.signals.domain.step import SignalsStep
from shared.events import CandleIn, Heartbeat, Source
from tests.signals.play import (
    FRIDAY,
    MINUTE,
    SYMBOL,
    Play,
    close,
    config,
    instrument,
    level,
    levels,
    rule_set,
    rules,
    saved,
    tick,
    told,
)

TOUCH = rule_set({"kind": "touch", "within_ticks": 2})


def test_ticks_before_any_level_give_nothing() -> None:
    """No instrument, no rules, no levels: prices pass."""
    step = SignalsStep({})
    assert step.process([tick(100, FRIDAY), tick(101, FRIDAY + 1)]) == []


def test_the_last_price_before_the_rules_counts_as_where_the_price_came_from() -> None:
    """The rule comes between two prices and sees the move from one to the other."""
    step = SignalsStep({})
    step.process([instrument(), levels(level()), tick(90, FRIDAY), rules(TOUCH)])
    (signal,) = step.process([tick(99, FRIDAY + 1)])
    assert signal.id.endswith(":2026-11-20T00:00:00.000001Z")


def test_rules_that_are_taken_away_fire_no_more() -> None:
    """An empty body is the end of a rule set."""
    play = Play(TOUCH)
    assert told(play.prices(90, 99, 90)) == ["touch short 99"]
    play.send(config("rules", "test", {}))
    assert told(play.prices(99)) == []
    play.restart()
    assert json.loads(play.state["@rules"]) == []


def test_a_rule_that_stays_the_same_in_a_new_set_keeps_its_arming() -> None:
    """Another cap is no other rule: its version is the digest of the rule alone."""
    play = Play(TOUCH)
    play.prices(90, 99)
    play.send(rules(TOUCH.model_copy(update={"signals_a_day_max": 99})))
    assert told(play.prices(95, 99)) == []


def test_a_changed_rule_starts_armed_under_its_new_version() -> None:
    """Three ticks instead of two make another rule."""
    play = Play(TOUCH)
    (first,) = play.prices(90, 99)
    play.send(rules(rule_set({"kind": "touch", "within_ticks": 3})))
    (second,) = play.prices(95, 99)
    assert first.rule_version != second.rule_version


def test_a_rule_that_comes_back_has_forgotten() -> None:
    """In, out, in: what it knew went with it, even if a restart lies in between."""
    for restart in (False, True):
        play = Play(TOUCH)
        play.prices(90, 99)
        play.restart()
        play.send(config("rules", "test", {}))
        if restart:
            play.restart()
        play.send(rules(TOUCH))
        assert told(play.prices(95, 99)) == ["touch short 99"]


def test_a_set_looks_at_its_own_symbols_only() -> None:
    """A set for DAX sees no touch of TEST."""
    assert told(Play(rule_set({"kind": "touch"}, symbols=["DAX"])).prices(90, 99)) == []
    assert told(Play(rule_set({"kind": "touch"}, symbols=["DAX", SYMBOL])).prices(90, 99)) != []


def test_seeded_levels_are_known_but_do_not_fire() -> None:
    """Warm-up brings levels; only ticks bring signals."""
    step = SignalsStep({})
    events = [instrument(), rules(TOUCH), levels(level(), origin="seed")]
    assert step.process(events) == []
    assert step.process([tick(90, FRIDAY)]) == []
    assert len(step.process([tick(99, FRIDAY + 1)])) == 1


def test_other_spine_entries_change_nothing() -> None:
    """Heartbeats, sources and candles give no signals and leave no state."""
    candle = CandleIn(
        symbol=SYMBOL, at=FRIDAY + MINUTE, pos=3, timeframe="1m", open_at=FRIDAY,
        open=90, high=110, low=90, close=110, volume=1, source="test", origin="seed",
    )  # fmt: skip
    step = SignalsStep({})
    assert (
        step.process(
            [
                Heartbeat(symbol="*", at=FRIDAY, pos=1),
                Source(symbol=SYMBOL, at=FRIDAY, pos=2, source="test", delay_ms=0),
                candle,
            ]
        )
        == []
    )
    assert step.changes() == {}


def test_symbols_do_not_know_of_each_other() -> None:
    """Prices of one symbol are no moves of another."""
    play = Play(TOUCH)
    other = [instrument(symbol="OTHER"), levels(level(), symbol="OTHER")]
    play.send(*other, tick(90, FRIDAY, symbol="OTHER"))
    assert play.send(tick(99, FRIDAY + 1)) == []
    (signal,) = play.send(tick(99, FRIDAY + 2, symbol="OTHER"))
    assert signal.symbol == "OTHER"


def test_only_what_changed_is_written() -> None:
    """A commit holds the symbols it touched, and the rules only when they changed."""
    play = Play(TOUCH)
    fields = {"@rules", SYMBOL, *(f"{SYMBOL}:{part}" for part in ("posts", "closes", "levels:1d"))}
    assert set(play.step.changes()) == fields
    assert play.step.changes() == {}
    play.prices(90)
    assert set(play.step.changes()) == {SYMBOL}


def test_a_price_without_effect_writes_a_few_bytes() -> None:
    """Levels and what the posts know are written only when that changed."""
    play = Play(TOUCH)
    play.prices(90, 90)
    play.step.changes()
    play.prices(91)
    assert play.step.changes() == {SYMBOL: "[91.0,3,false]"}


def test_a_close_without_effect_writes_a_few_bytes() -> None:
    """Ten thousand symbols close at once every minute; most of them have nothing new to keep."""
    play = Play(TOUCH)
    play.prices(90, 90)
    play.send(close(FRIDAY, "1m"))
    play.step.changes()
    play.send(levels(level(95, "swing.high"), timeframe="1m"), close(FRIDAY, "1m"))
    assert set(play.step.changes()) == {SYMBOL, f"{SYMBOL}:levels:1m"}


def test_a_rule_at_levels_that_nobody_tells_waits_visibly() -> None:
    """Yesterday's high is told in 1d and not in 15m; once it was there, it may go."""
    play = Play(rule_set({"kind": "touch", "timeframe": "15m"}))
    (waits,) = json.loads(play.step.views()[SYMBOL])["waiting"].values()
    assert waits == ["15m level previous_day.high"]
    play.send(levels(level(), timeframe="15m"))
    assert json.loads(play.step.views()[SYMBOL])["waiting"] == {}
    play.restart()
    play.send(levels(timeframe="15m"))
    assert play.step.views() == {}


def test_an_instrument_that_is_taken_away_leaves_no_state() -> None:
    """A symbol that nobody watches any more is forgotten."""
    play = Play(TOUCH)
    play.prices(90)
    play.restart()
    play.send(config("instrument", SYMBOL, {}, SYMBOL))
    assert saved(play.state, play.step).keys() == {"@rules"}


@pytest.mark.parametrize("commits", [False, True])
def test_an_instrument_that_comes_back_starts_without_levels(commits: bool) -> None:
    """Whether it was away for a commit or came back within one: what it knew is gone."""
    play = Play(TOUCH)
    play.prices(90)
    play.restart()
    play.send(config("instrument", SYMBOL, {}, SYMBOL))
    if commits:
        play.restart()
    play.send(instrument())
    play.restart()
    assert told(play.prices(90, 99)) == []


def test_a_new_tick_size_measures_anew() -> None:
    """Half a point a tick: two ticks are one point from here on."""
    play = Play(TOUCH)
    play.send(instrument(tick_size=0.5))
    assert told(play.prices(90, 98, 98.5, 99)) == ["touch short 99"]


def test_levels_without_an_instrument_are_refused_with_the_mend() -> None:
    """Distances in ticks mean nothing without a tick."""
    with pytest.raises(ValueError, match="TEST has levels but no instrument on the spine; put"):
        SignalsStep({}).process([levels(level())])


def test_a_broken_rule_set_on_the_spine_is_refused_by_name() -> None:
    """The reason names the set and the field."""
    step = SignalsStep({})
    with pytest.raises(ValueError, match="rule set mine: rules: Field required"):
        step.process([config("rules", "mine", {"name": "mine"})])
    with pytest.raises(ValueError, match="rule set test came under the name other"):
        step.process([config("rules", "other", TOUCH.body)])


def test_a_broken_instrument_is_refused_by_name() -> None:
    """The reason names the instrument and the field."""
    with pytest.raises(ValueError, match="instrument X: symbol: Field required"):
        SignalsStep({}).process([config("instrument", "X", {"tick_size": 1}, "X")])


def test_state_stays_small_however_many_prices_pass() -> None:
    """The state is bounded by levels and rules, not by history."""
    play = Play(TOUCH)
    play.prices(*[85, 99] * 10)
    play.restart()
    before = len("".join(play.state.values()))
    play.prices(*[85, 99] * 1000)
    play.restart()
    assert len("".join(play.state.values())) <= before + 50
