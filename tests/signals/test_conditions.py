"""Rules on closed candles: conditions, their edges, and what is unknown."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.indicators.domain.catalogue import CATALOGUE
from services.signals.domain.names import unit_of
from tests.signals.candles import STEP, Candles, candle_rule
from tests.signals.play import FRIDAY, SYMBOL, close, config, level

ABOVE = {"kind": "above", "left": "close", "right": "sma:20"}
CROSS = {"kind": "crosses_above", "left": "rsi:14", "right": 30}


def test_a_condition_fires_where_it_becomes_true() -> None:
    """Closes against a moving average of 100.

    103                   *
    101          *    *
    100 -------------------------- sma:20
     99     *                   *
            -    S    -    -    -
    """
    play = Candles(candle_rule(ABOVE))
    (signal,) = play.close(99, 101, 101, 103, 99, sma_20=100)
    assert signal.price == 101
    assert (signal.action, signal.direction, signal.timeframe) == ("condition", "long", "15m")
    assert signal.reason == "TEST 15m candle: close 101 above sma:20 100"
    assert signal.operands == {"close": 101, "sma:20": 100}
    assert signal.cause == "level_computed:TEST:15m:2026-11-20T00:30Z"
    assert signal.pos == 2


def test_a_condition_that_holds_from_the_start_has_no_edge() -> None:
    """It must be seen not to hold first."""
    play = Candles(candle_rule(ABOVE))
    assert play.close(101, 102, sma_20=100) == []
    assert [signal.price for signal in play.close(99, 103, sma_20=100)] == [103]


def test_equal_is_neither_above_nor_below() -> None:
    """Strict comparison, both ways."""
    assert Candles(candle_rule(ABOVE)).close(99, 100, sma_20=100) == []
    assert Candles(candle_rule({**ABOVE, "kind": "below"})).close(101, 100, sma_20=100) == []


def test_a_cross_needs_both_candles() -> None:
    """From 30 or less to more than 30; the value before is among the operands."""
    play = Candles(candle_rule(CROSS))
    signals = [play.close(100, rsi_14=rsi) for rsi in (28, 29, 30, 31, 35)]
    assert [len(one) for one in signals] == [0, 0, 0, 1, 0]
    (signal,) = signals[3]
    assert signal.operands == {"close": 100, "rsi:14": 31, "rsi:14 before": 30}
    assert signal.reason == "TEST 15m candle: rsi:14 31 crossed above 30"


def test_nearness_in_ticks_and_in_average_ranges() -> None:
    """Two ticks of 1, or half of an ATR of 4: both reach from 98 to 102."""
    near = {"kind": "within", "left": "close", "right": "sma:20"}
    for distance in ({"ticks": 2}, {"times": 0.5, "of": "atr:14"}):
        play = Candles(candle_rule({**near, **distance}))
        signals = play.close(97, 98, 103, 102, sma_20=100, atr_14=4)
        assert [signal.price for signal in signals] == [98, 102]


def test_all_any_and_not() -> None:
    """Above the average and not overbought, or else at a new low."""
    low = {"kind": "below", "left": "close", "right": 90}
    hot = {"kind": "above", "left": "rsi:14", "right": 70}
    calm = {"kind": "all", "conditions": [ABOVE, {"kind": "not", "condition": hot}]}
    play = Candles(candle_rule({"kind": "any", "conditions": [calm, low]}))
    assert play.close(99, sma_20=100, rsi_14=80) == []
    assert play.close(101, sma_20=100, rsi_14=80) == []
    (signal,) = play.close(102, sma_20=100, rsi_14=60)
    assert signal.reason == (
        "TEST 15m candle: close 102 above sma:20 100 and not (rsi:14 60 above 70) "
        "or close 102 below 90"
    )
    assert play.close(95, sma_20=100, rsi_14=60) == []
    assert len(play.close(89, sma_20=100, rsi_14=60)) == 1


def test_a_missing_value_is_unknown_and_visible() -> None:
    """A value not warmed up fires nothing, and the view says what the rule waits for."""
    play = Candles(candle_rule(ABOVE))
    assert play.close(99, 101) == []
    (label,) = json.loads(play.step.views()[SYMBOL])["waiting"]
    assert label.startswith("test.rule@")
    play.close(99, sma_20=100)
    assert json.loads(play.step.views()[SYMBOL])["waiting"] == {}


def test_what_is_taken_away_waits_no_more() -> None:
    """The view says so at once, and not with the next candle that changes something."""
    rule = candle_rule(ABOVE)
    play = Candles(rule)
    play.close(99)
    assert json.loads(play.step.views()[SYMBOL])["waiting"] != {}
    play.step.process([config("rules", rule.name, {})])
    assert json.loads(play.step.views()[SYMBOL])["waiting"] == {}


def test_what_is_known_can_settle_it() -> None:
    """False and unknown is false, true or unknown is true."""
    both = {"kind": "all", "conditions": [ABOVE, CROSS]}
    either = {"kind": "any", "conditions": [ABOVE, CROSS]}
    for condition, fired in ((both, 0), (either, 1)):
        play = Candles(candle_rule(condition))
        play.close(99, sma_20=100, rsi_14=50)
        play.close(99, sma_20=100, rsi_14=50)
        assert len(play.close(101, sma_20=100)) == fired


def test_a_last_step_that_does_not_hold_settles_a_sequence() -> None:
    """Whatever the first one would have said: so the next candle, which does both, is an edge."""
    low = {"kind": "below", "left": "close", "right": 90}
    steps = [{"kind": "above", "left": "rsi:14", "right": 70}, low]
    play = Candles(candle_rule({"kind": "sequence", "within": 3, "steps": steps}))
    assert play.close(95) == []
    assert len(play.close(85, rsi_14=80)) == 1


def test_seeded_candles_prepare_and_do_not_fire() -> None:
    """The edge lies in the past; the next one, live, is told."""
    play = Candles(candle_rule(ABOVE))
    for price in (99, 101):
        assert play.one(price, {"sma_20": 100}, origin="seed") == []
    assert play.one(99, {"sma_20": 100}, origin="seed") == []
    assert len(play.one(101, {"sma_20": 100})) == 1


def test_other_timeframes_are_read_as_they_stand() -> None:
    """A 15m rule looks at the hour's value, new at the close that ends both."""
    rule = candle_rule({"kind": "above", "left": "close", "right": "sma:20@1h"})
    play = Candles(rule)
    assert play.one(99, {"sma_20": 100}, timeframes=("15m", "1h")) == []
    assert play.one(99, {"sma_20": 1}) == []
    (signal,) = play.one(99, {"sma_20": 98}, timeframes=("15m", "1h"))
    assert signal.reason == "TEST 15m candle: close 99 above 1h sma:20 98"


def test_a_window_without_a_candle_decides_nothing() -> None:
    """A quiet quarter of an hour is closed but brings no reading: the last one is not judged anew.

    A cross would else be looked at with the same value before and now, and a new edge be missed.
    """
    play = Candles(candle_rule(CROSS))
    play.close(100, 100, rsi_14=29)
    quiet = close(FRIDAY, "15m", at=FRIDAY + 3 * STEP)
    assert play.step.process([quiet.model_copy(update={"pos": 3})]) == []
    play.number = 3
    assert len(play.close(100, rsi_14=31)) == 1


def test_a_level_is_the_latest_of_its_key() -> None:
    """Two swing highs are known; the newer one counts."""
    play = Candles(candle_rule({"kind": "above", "left": "close", "right": "level:swing.high"}))
    old, new = level(90, "swing.high", FRIDAY), level(100, "swing.high", FRIDAY + 1)
    assert play.one(99, {}, new, old) == []
    (signal,) = play.one(101, {}, new, old)
    assert signal.operands["level:swing.high"] == 100


def test_the_cooldown_silences_edges() -> None:
    """Candles are 15 minutes apart; half an hour passes before the next firing."""
    play = Candles(candle_rule(ABOVE, cooldown_s=2700))
    signals = play.close(99, 101, 99, 101, 99, 101, sma_20=100)
    assert [signal.at - FRIDAY for signal in signals] == [2 * 900_000_000, 6 * 900_000_000]


CONDITIONS: list[tuple[dict[str, Any], Any]] = [
    (ABOVE, lambda now, before: now[0] > now[1]),
    (CROSS, lambda now, before: before is not None and before[1] <= 30 < now[1]),
    (
        {"kind": "not", "condition": {"kind": "within", "left": "close", "right": 30, "ticks": 5}},
        lambda now, before: abs(now[0] - 30) > 5,
    ),
]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(20, 40), st.integers(20, 40)), min_size=1, max_size=30),
    st.sampled_from(range(len(CONDITIONS))),
    st.sets(st.integers(0, 30)),
)
def test_edges_equal_the_definition_whatever_restarts(
    rows: list[tuple[int, int]], which: int, restarts: set[int]
) -> None:
    """Fires exactly where the condition holds and did not at the candle before."""
    condition, holds = CONDITIONS[which]
    value = "rsi_14" if condition is CROSS else "sma_20"
    play, fired = Candles(candle_rule(condition)), []
    for number, (price, number_value) in enumerate(rows):
        fired.append(bool(play.close(price, **{value: number_value})))
        if number in restarts:
            play.restart()
    truths = [holds(row, rows[number - 1] if number else None) for number, row in enumerate(rows)]
    # A cross is unknown at the first candle, and from unknown there is no edge.
    first = 2 if condition is CROSS else 1
    expected = [
        number >= first and truths[number] and not truths[number - 1] for number in range(len(rows))
    ]
    assert fired == expected


def test_what_the_indicators_service_computes_can_be_named() -> None:
    """Every value of every recipe of its catalogue is a series, under its very name."""
    names = {
        recipe.key if output == "value" else f"{recipe.key}.{output}"
        for recipe in (made() for made in CATALOGUE.values())
        for output in recipe.OUTPUTS
    }
    assert len(names) > 20
    assert {unit_of(name) for name in names} == {"price", "percent", "distance", "trend"}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("rsi", "rsi takes 1 parameter, such as rsi:14"),
        ("rsi:0", "'rsi:0' has a window of 0"),
        ("rsi:14:2", "rsi takes 1 parameter"),
        ("rsi:x", "rsi takes 1 parameter"),
        ("bollinger:20:2.0.upper", "write 2, not 2.0"),
        ("macd:12:26:9.sig", "macd has line, signal, histogram"),
        ("previous_day.high", "is a level: write level:previous_day.high"),
    ],
)
def test_a_name_that_can_never_come_is_refused(name: str, complaint: str) -> None:
    """A rule that waits for it would wait for ever."""
    with pytest.raises(ValueError, match=complaint):
        unit_of(name)


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ({**ABOVE, "right": "rsi:14"}, "a price cannot be compared with a percent"),
        ({**ABOVE, "right": "smma:20"}, "unknown series 'smma:20'; known are open, high"),
        ({**ABOVE, "right": "close"}, "the same series: the answer never changes"),
        ({**ABOVE, "left": 1, "right": 2}, "both sides are numbers"),
        ({**ABOVE, "right": float("nan")}, "finite number"),
        ({**ABOVE, "kind": "within"}, "within needs either ticks, or times and of"),
        ({**ABOVE, "kind": "within", "times": 1.0}, "within needs either ticks, or times and of"),
        ({**ABOVE, "kind": "within", "times": 1.0, "of": "rsi:14"}, "of must be a distance"),
        ({**ABOVE, "kind": "within", "times": 0.0, "of": "atr:14"}, "greater than 0"),
        ({"kind": "all", "conditions": []}, "at least 1 item"),
        ({**ABOVE, "right": "sma:20@2h"}, "Input should be '1m'"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(
    condition: dict[str, Any], complaint: str
) -> None:
    """Units that do not fit, unknown names, windows and distances of nothing."""
    with pytest.raises(ValidationError, match=complaint):
        candle_rule(condition)


def test_a_rearm_distance_says_nothing_to_a_candle_rule() -> None:
    """It is refused rather than ignored."""
    with pytest.raises(ValidationError, match=r"life\.rearm_ticks says nothing to a candle rule"):
        candle_rule(ABOVE, rearm_ticks=20)


def test_short_and_long_spelling_are_the_same_rule() -> None:
    """``sma:20`` stands for a table, and the version is that of the table."""
    long = {
        "kind": "above",
        "left": {"kind": "candle", "part": "close"},
        "right": {"kind": "value", "name": "sma:20"},
    }
    assert candle_rule(long).version == candle_rule(ABOVE).version
