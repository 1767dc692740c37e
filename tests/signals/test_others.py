"""Rules that look at another symbol: joined by event time, parked until it is known."""

import json
import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.signals.domain.closes import PARKED_MAX
from services.signals.domain.others import Relayed
from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import Event, Heartbeat, SignalGenerated
from tests.signals.pair import (
    OTHER,
    STEP,
    again,
    entry,
    joint_rule,
    nothing,
    numbers_fired,
    other,
    own,
)
from tests.signals.play import FRIDAY, SYMBOL, close, instrument, rules

BELOW = {"kind": "below", "left": f"close of {OTHER}", "right": 20}
BOTH = {"kind": "all", "conditions": [{"kind": "above", "left": "close", "right": 100}, BELOW]}


def fresh(rule_set: RuleSet) -> SignalsStep:
    step = SignalsStep({})
    step.process([instrument(), rules(rule_set)])
    return step


def waiting(step: SignalsStep) -> list[str]:
    (found,) = json.loads(step.views()[SYMBOL])["waiting"].values() or [[]]
    return list(found)


def test_an_evaluation_waits_for_the_other_symbols_candle() -> None:
    """It is decided when the candle of the same moment is there, and says what it saw.

    TEST   99    101
    VIX       21          19
                           S
    """
    step = fresh(joint_rule(BOTH))
    step.process([*own(1, 99), other(1, close=21)])
    assert step.process(own(2, 101)) == []
    assert waiting(step) == ["VIX 15m candle of 2026-11-20T00:30Z"]
    (signal,) = step.process([other(2, close=19).model_copy(update={"pos": 77})])
    assert isinstance(signal, SignalGenerated)
    assert (signal.at, signal.pos, signal.price) == (FRIDAY + 2 * STEP, 77, 101)
    assert signal.operands == {"close": 101, "VIX close": 19}
    assert signal.reason == "TEST 15m candle: close 101 above 100 and VIX close 19 below 20"
    assert waiting(step) == []


def test_the_partition_goes_on_meanwhile() -> None:
    """Three closes wait, and are decided in their order once the other symbol is told."""
    step = fresh(joint_rule(BELOW))
    for number in (1, 2, 3):
        assert step.process(own(number, 100)) == []
    told = [other(1, close=21), other(2, close=19), other(3, close=18)]
    assert numbers_fired(step.process(told)) == [2]


def test_a_window_without_a_candle_is_unknown() -> None:
    """Nothing fires on it, the view says so, and the edge is not made up for."""
    step = fresh(joint_rule(BELOW))
    step.process([*own(1, 100), other(1, close=21), *own(2, 100)])
    assert step.process([nothing(2)]) == []
    assert waiting(step) == ["VIX close"]
    assert numbers_fired(step.process([*own(3, 100), other(3, close=19)])) == []
    late = [*own(4, 100), other(4, close=21), *own(5, 100), other(5, close=19)]
    assert numbers_fired(step.process(late)) == [5]


def test_a_longer_timeframe_is_read_as_it_stands() -> None:
    """The day's value of yesterday, once it is known that no day has ended since."""
    step = fresh(joint_rule({"kind": "below", "left": f"rsi:14@1d of {OTHER}", "right": 30}))
    step.process([other(0, "1d", rsi_14=40), *own(1, 100)])
    assert waiting(step) == ["VIX 1d candle of 2026-11-20T00:15Z"]
    step.process([nothing(1, "1d")])
    assert waiting(step) == []
    told = [other(2, "1d", rsi_14=20), *own(2, 100)]
    assert numbers_fired(step.process(told)) == [2]


def test_what_was_said_of_a_moment_stays() -> None:
    """A second telling, after a failover there, changes nothing; it may add a number."""
    step = fresh(joint_rule({**BELOW, "right": f"sma:20 of {OTHER}"}))
    step.process([*own(1, 100), other(1, close=21, sma_20=20)])
    step.process([other(2, close=19), other(2, close=50, sma_20=20)])
    assert numbers_fired(step.process(own(2, 100))) == [2]


def test_a_symbol_that_never_comes_is_given_up_one_by_one() -> None:
    """What waits is bounded: the oldest evaluation is then decided without the other symbol."""
    step = fresh(joint_rule(BELOW))
    for number in range(1, PARKED_MAX + 2):
        assert step.process(own(number, 100)) == []
    assert f"{SYMBOL}:closes" in step.changes()
    told = [other(number, close=25 - number) for number in range(1, 9)]
    assert numbers_fired(step.process(told)) == [6]


def test_rows_are_forgotten_once_they_are_past() -> None:
    """A heartbeat later than both symbols leaves the last row only."""
    step = fresh(joint_rule(BELOW))
    for number in range(1, 9):
        step.process([*own(number, 100), other(number, close=30 - number)])
    beat = Heartbeat(symbol="*", at=FRIDAY + 24 * STEP, pos=1)
    step.process([beat])
    (until, rows) = json.loads(step.changes()[f"@other:{OTHER}"])["15m"]
    assert until == FRIDAY + 8 * STEP
    assert [row[0] for row in rows] == [FRIDAY + 8 * STEP]


def test_a_signal_counts_for_the_session_it_belongs_to() -> None:
    """Decided after its session's end, it meets that session's cap and not the next one's."""
    step = fresh(joint_rule(BELOW, signals_a_day_max=1))
    for number in range(1, 5):
        step.process(own(number, 100))
    *_, last = own(5, 100)
    day = last.model_copy(update={"windows": (last.windows[0].model_copy(  # type: ignore[attr-defined]
        update={"timeframe": "1d"}
    ),)})  # fmt: skip
    step.process([day])
    told = [other(n, close=21 if n % 2 else 19) for n in range(1, 5)]
    assert numbers_fired(step.process(told)) == [2]


@pytest.mark.parametrize("restarts", [False, True])
def test_the_counts_of_a_session_without_signals_are_its_own(restarts: bool) -> None:
    """What is decided late counts for the session that is over, and leaves the new one its cap."""
    step = fresh(joint_rule(BELOW, signals_a_day_max=1))
    step, state = again(step, dict[str, str]())
    for number in (1, 2):
        step.process(own(number, 100))
    step.process([close(FRIDAY, "1d", at=FRIDAY + 2 * STEP)])
    if restarts:
        step, state = again(step, state)
    assert numbers_fired(step.process([other(1, close=21), other(2, close=19)])) == [2]
    for number in (3, 4):
        reading, over = own(number, 100)
        step.process([reading, over.model_copy(update={"session_at": FRIDAY + 2 * STEP})])
    assert numbers_fired(step.process([other(3, close=21), other(4, close=19)])) == [4]


def test_a_symbol_whose_prices_come_late_finds_the_other_ones_candles() -> None:
    """A provider may be half an hour behind; heartbeats tell the time of the others."""
    step = fresh(joint_rule(BELOW))
    for number in range(1, 5):
        step.process([other(number, close=21 if number % 2 else 19)])
    for number in range(1, 5):
        step.process([Heartbeat(symbol="*", at=FRIDAY + (number + 3) * STEP, pos=1)])
        fired = numbers_fired(step.process(own(number, 100)))
        assert fired == ([] if number % 2 else [number])


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ({**BELOW, "left": "correlation:VIX:0:returns"}, "greater than or equal to 2"),
        ({**BELOW, "left": "correlation:VIX:50"}, "'returns' or 'prices'"),
        ({**BELOW, "left": "correlation:VIX:50:returns@1h"}, "leave out its @1h"),
        ({**BELOW, "left": "correlation:VIX:50:returns", "right": "rsi:14"}, "a ratio cannot"),
        ({**BELOW, "left": f"close of {SYMBOL}"}, f"looks at {SYMBOL} as another symbol"),
        ({**BELOW, "left": f"correlation:{SYMBOL}:50:returns"}, "leave TEST out of symbols"),
    ],
)
def test_a_rule_about_others_that_makes_no_sense_is_refused(
    condition: dict[str, Any], complaint: str
) -> None:
    """Windows of nothing, no word on returns or prices, units, and the symbol itself."""
    with pytest.raises(ValidationError, match=complaint):
        joint_rule(condition)


def test_a_rule_for_every_symbol_leaves_out_the_one_it_looks_at() -> None:
    """Nothing is compared with itself."""
    rule_set = joint_rule({**BELOW, "left": f"correlation:{SYMBOL}:5:prices"}, symbols=["*"])
    step = fresh(rule_set)
    for number in range(1, 9):
        step.process(own(number, 100 + number))
    assert step.views() == {}


Rows = list[tuple[float | None, float | None]]
rows_drawn = st.lists(
    st.tuples(
        st.none() | st.sampled_from([90.0, 95.0, 99.0, 101.0, 110.0]),
        st.none() | st.sampled_from([15.0, 19.0, 21.0, 30.0]),
    ),
    min_size=1,
    max_size=40,
)
CORRELATED = {"kind": "below", "left": f"correlation:{OTHER}:4:returns", "right": -0.3}


def entries(rows: Rows, seed: int) -> list[Event]:
    """Both symbols' candles, each in its order, shuffled into one another in any way."""
    mine = [own(n, a) for n, (a, _) in enumerate(rows, 1) if a is not None]
    theirs = [[other(n, close=b)] for n, (_, b) in enumerate(rows, 1) if b is not None]
    theirs.append([nothing(len(rows))])
    chance, mixed = random.Random(seed), list[Event]()
    while mine or theirs:
        side = chance.choice([one for one in (mine, theirs) if one])
        mixed += side.pop(0)
    return mixed


def correlations(own: pl.Series, theirs: pl.Series, window: int) -> list[float | None]:
    """Of the log returns of each window, by numpy; None before the first and where one rests."""
    x, y = np.diff(np.log(own.to_numpy())), np.diff(np.log(theirs.to_numpy()))
    found: list[float | None] = [None] * len(own)
    for end in range(window, len(own)):
        one, two = x[end - window : end], y[end - window : end]
        if np.ptp(one) > 1e-9 and np.ptp(two) > 1e-9:
            found[end] = float(np.corrcoef(one, two)[0, 1])
    return found


def expected(rows: Rows, condition: dict[str, Any]) -> list[int]:
    """Where the condition holds and was known not to at the rule's candle before, by polars."""
    frame = pl.DataFrame(
        {"n": range(1, len(rows) + 1), "a": [a for a, _ in rows], "b": [b for _, b in rows]},
        schema={"n": pl.Int64, "a": pl.Float64, "b": pl.Float64},
    )
    pairs = frame.drop_nulls()
    pairs = pairs.with_columns(
        r=pl.Series(correlations(pairs["a"], pairs["b"], 4), dtype=pl.Float64)
    )
    seen = frame.filter(pl.col("a").is_not_null()).join(pairs.select("n", "r"), "n", how="left")
    truths: list[tuple[int, bool | None]] = []
    for number, a, b, r in seen.select("n", "a", "b", "r").rows():
        if condition is CORRELATED:
            truths.append((number, None if r is None else r < -0.3))
        elif a <= 100:
            truths.append((number, False))
        else:
            truths.append((number, None if b is None else b < 20))
    before = [None, *(truth for _, truth in truths)]
    return [n for (n, truth), was in zip(truths, before, strict=False) if truth and was is False]


@settings(max_examples=150, deadline=None)
@given(rows_drawn, st.sampled_from(["both", "correlated"]), st.integers(0, 2**32), st.booleans())
def test_it_does_not_matter_when_the_other_symbol_is_told(
    rows: Rows, which: str, seed: int, restart: bool
) -> None:
    """Whatever stands between what, restarted anywhere, the signals are those of a join by time."""
    condition = BOTH if which == "both" else CORRELATED
    step, state = fresh(joint_rule(condition)), dict[str, str]()
    step, state = again(step, state)
    fired: list[int] = []
    for event in entries(rows, seed):
        fired += numbers_fired(step.process([event]))
        if restart:
            step, state = again(step, state)
    assert fired == expected(rows, condition)


def test_the_past_of_a_correlation_can_be_brought_along() -> None:
    """A rule saved today need not wait for its window: the relay sends pairs of both symbols."""
    closes = [(100.0 + n, 20.0 - n) for n in (0, 1, 3, 2, 5)]
    rule_set = joint_rule({**CORRELATED, "left": f"correlation:{OTHER}:5:returns"})
    step = fresh(rule_set)
    past = [(FRIDAY + n * STEP, *pair) for n, pair in enumerate(closes)]
    brought = Relayed(
        symbol=OTHER, timeframe="15m", at=FRIDAY, numbers={"close": 20}, pairs={SYMBOL: past}
    )
    step.process([entry(brought), *own(5, 104), other(5, close=16)])
    assert json.loads(step.changes()[f"{SYMBOL}:closes"])[0]["memories"].popitem()[1][0] is True
