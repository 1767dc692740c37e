"""What is relayed of another symbol: its candles, and at the rules' pace that there was none."""

from services.signals.domain.relaying import (
    SILENCE_US,
    Forwarder,
    joined,
    known_until,
    needs,
    request,
)
from services.signals.domain.rules import RuleSet
from shared.events import Candle, LevelComputed, Watermark
from shared.market.timeframes import LENGTH_US, Timeframe
from tests.signals.pair import OTHER, STEP, joint_rule
from tests.signals.play import FRIDAY, MINUTE, SYMBOL

BELOW = {"kind": "below", "left": f"close of {OTHER}", "right": f"sma:20 of {OTHER}"}
FEED: tuple[str, Timeframe] = (OTHER, "15m")


def reading(at: int, timeframe: Timeframe = "15m", symbol: str = OTHER) -> LevelComputed:
    """A candle that ended then, with two values."""
    open_at = at - LENGTH_US[timeframe]
    candle = Candle(open_at=open_at, at=at, open=20, high=20, low=20, close=20)
    return LevelComputed(
        symbol=symbol,
        at=at,
        pos=1,
        timeframe=timeframe,
        session_at=FRIDAY,
        origin="live",
        candle=candle,
        levels=(),
        values={"sma:20": 21.0, "rsi:14": 50.0},
        zones=(),
        cause="candle",
    )


def mark(at: int = 0) -> Watermark:
    return Watermark(symbol="*", at=at, pos=1)


def forwarder(rule_set: RuleSet | None = None) -> Forwarder:
    return Forwarder(needs([joint_rule(BELOW) if rule_set is None else rule_set], [SYMBOL]))


def test_only_what_rules_look_at_is_needed() -> None:
    """Of sets whose own symbols live here; a correlation needs its pairs."""
    correlated = {"kind": "below", "left": f"correlation:{OTHER}:50:returns", "right": -0.7}
    assert needs([joint_rule(BELOW)], ["EURUSD"]) == {}
    found = needs([joint_rule(BELOW), joint_rule(correlated)], [SYMBOL, "EURUSD"])
    assert list(found) == [FEED]
    assert found[FEED].keys == {"close", "sma:20"}
    assert (found[FEED].pace, found[FEED].pairs) == ("15m", {SYMBOL: 51})


def test_a_candle_is_told_once_with_the_numbers_asked_for() -> None:
    """Other timeframes and symbols are not; a second time is one too many."""
    made = forwarder()
    events = [reading(FRIDAY), reading(FRIDAY), reading(FRIDAY, "5m"), reading(FRIDAY, symbol="A")]
    told = [one for event in events for one in made.take(event, {OTHER})]
    assert [one.numbers for one in told] == [{"close": 20.0, "sma:20": 21.0}]


def test_a_window_without_a_candle_is_told_by_a_later_one() -> None:
    """A minute's candle after it proves it, once its commit is complete; at the rules' pace."""
    made = forwarder()
    list(made.take(reading(FRIDAY), {OTHER}))
    later = FRIDAY + STEP + MINUTE
    assert list(made.take(reading(later, "1m"), {OTHER})) == []
    (told,) = made.take(mark(), {OTHER})
    assert (told.at, told.numbers) == (later, {})
    assert list(made.take(mark(), {OTHER})) == []
    list(made.take(reading(later + MINUTE, "1m"), {OTHER}))
    assert list(made.take(mark(), {OTHER})) == []


def test_time_is_told_at_every_hour_that_a_session_can_be_cut_into() -> None:
    """Hours of a session that opens at 14:30 end at half past; a day's feed is known up to there.

    Otherwise a rule on 1h would wait for the full hour to look at another symbol's 1d.
    """
    condition = {**BELOW, "left": f"close@1d of {OTHER}"}
    hourly = joint_rule(condition).model_dump(mode="json")
    hourly["rules"][0]["when"]["timeframe"] = "1h"
    made = forwarder(RuleSet.model_validate(hourly))
    for minute in range(1, 61):
        list(made.take(reading(FRIDAY + minute * MINUTE, "1m"), {OTHER}))
        list(made.take(mark(), {OTHER}))
    list(made.take(reading(FRIDAY + 90 * MINUTE, "1m"), {OTHER}))
    told = [one for one in made.take(mark(), {OTHER}) if one.timeframe == "1d"]
    assert [one.at for one in told] == [FRIDAY + 90 * MINUTE]


def test_a_silent_symbol_is_waited_for_half_an_hour() -> None:
    """Longer than any provider is late; then its partition's time says that there is none."""
    made = forwarder()
    list(made.take(reading(FRIDAY), {OTHER}))
    assert list(made.take(mark(FRIDAY + STEP + SILENCE_US - 1), {OTHER})) == []
    (told,) = made.take(mark(FRIDAY + STEP + SILENCE_US), {OTHER})
    assert (told.at, told.numbers) == (FRIDAY + STEP, {})


def test_a_request_says_what_it_is_by_its_content() -> None:
    """The same reading is the same request, so that a spine's writer takes it once."""
    (one,) = forwarder().take(reading(FRIDAY), {OTHER})
    asked = request(one)
    assert asked == request(one)
    assert (asked.kind, asked.name) == ("relayed", f"{OTHER}:15m")
    assert asked.version.startswith("2026-11-20T00:00Z.")


def test_pairs_are_the_last_moments_that_both_have() -> None:
    """In the order of time."""
    assert joined({3: 1.0, 1: 2.0, 2: 3.0}, {1: 5.0, 3: 6.0, 4: 7.0}, 5) == [
        (1, 2.0, 5.0),
        (3, 1.0, 6.0),
    ]
    assert len(joined(dict.fromkeys(range(9), 1.0), dict.fromkeys(range(9), 2.0), 4)) == 4


def test_what_a_partition_knows_stands_in_its_state() -> None:
    """By timeframe; of a symbol that was never told nothing is known."""
    assert known_until(None) == {}
    assert known_until('{"15m": [7, [[5, {"close": 1.0}]]]}') == {"15m": 7}
