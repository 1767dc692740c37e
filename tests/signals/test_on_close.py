"""Patterns that are decided on the closes of candles. Level 100, a tick is 1."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import (
    Candle,
    Close,
    Event,
    Gap,
    Level,
    LevelComputed,
    SignalGenerated,
    Window,
)
from tests.signals.naive import Point, firings
from tests.signals.pair import again
from tests.signals.play import (
    FRIDAY,
    LEVEL,
    MINUTE,
    SYMBOL,
    config,
    instrument,
    level,
    levels,
    rule_set,
    rules,
    told,
)

STEP = 15 * MINUTE
Prices = tuple[float, float, float, float]
"""Open, high, low, close."""


def closed(number: int, prices: Prices, known: Sequence[Level] = ()) -> list[Event]:
    """The 15m candle with this number, whose reading has these levels, and its close."""
    at = FRIDAY + number * STEP
    names = ("open", "high", "low", "close")
    candle = Candle(open_at=at - STEP, at=at, **dict(zip(names, prices, strict=True)))
    reading = LevelComputed(
        symbol=SYMBOL,
        at=at,
        pos=number,
        timeframe="15m",
        session_at=FRIDAY,
        origin="live",
        candle=candle,
        levels=tuple(known),
        values={},
        zones=(),
        cause="candle",
    )
    window = Window(timeframe="15m", open_at=at - STEP)
    close = Close(symbol=SYMBOL, at=at, pos=number, session_at=FRIDAY, windows=(window,))
    return [reading, close]


def flat(price: float) -> Prices:
    return (price, price, price, price)


def fresh(rules_given: RuleSet) -> SignalsStep:
    """Yesterday's high at 100 stands from before the first candle."""
    step = SignalsStep({})
    step.process([instrument(), rules(rules_given), levels(level())])
    return step


def play(when: dict[str, Any], *candles: Prices, **fields: Any) -> list[str]:
    step = fresh(rule_set({"on": "15m", **when}, **fields))
    found: list[SignalGenerated] = []
    for number, prices in enumerate(candles, 1):
        signals = step.process(closed(number, prices))
        found += [one for one in signals if isinstance(one, SignalGenerated)]
    return told(found)


def test_only_closes_break() -> None:
    """The first candle's high goes through and its close does not; the third closes beyond."""
    candles = [flat(95), (95, 110, 95, 99), (99, 106, 98, 105)]
    assert play({"kind": "break", "through_ticks": 3}, *candles) == ["break long 105"]


def test_prices_in_between_do_not_matter() -> None:
    """A rule on closes hears nothing of ticks."""
    step = fresh(rule_set({"kind": "break", "on": "15m", "through_ticks": 3}))
    step.process(closed(1, flat(95)))
    (signal,) = step.process(closed(2, flat(105)))
    assert isinstance(signal, SignalGenerated)
    assert signal.cause == "level_computed:TEST:15m:2026-11-20T00:30Z"
    assert signal.at == FRIDAY + 2 * STEP


def test_a_candle_that_opens_beyond_breaks_in_a_gap() -> None:
    """From a close at 95 to an open at 160: the market was never in between."""
    assert play({"kind": "break", "gap_ticks": 50}, flat(95), (160, 160, 155, 158)) == [
        "break long 158 gap"
    ]
    assert play({"kind": "break", "gap_ticks": 50}, flat(95), (96, 160, 95, 158)) == [
        "break long 158"
    ]


@pytest.mark.parametrize("restarts", [False, True])
def test_lost_prices_count_until_the_candle_is_over(restarts: bool) -> None:
    """A gap before a candle's first price cuts its move, though shorter candles end in between.

    From 95 to an open at 103: too little for a gap by size, so the cut alone makes it one.
    """
    step = fresh(rule_set({"kind": "break", "on": "15m", "through_ticks": 3}))
    step, state = again(step, dict[str, str]())
    step.process(closed(1, flat(95)))
    at = FRIDAY + STEP + MINUTE
    step.process([Gap(symbol=SYMBOL, at=at, pos=2, since=at - 2 * MINUTE, reason="source lost")])
    if restarts:
        step, state = again(step, state)
    minute = Window(timeframe="1m", open_at=at)
    ends = Close(symbol=SYMBOL, at=at + MINUTE, pos=2, session_at=FRIDAY, windows=(minute,))
    assert step.process([ends]) == []
    if restarts:
        step, state = again(step, state)
    signals = [
        *step.process(closed(2, (103, 106, 102, 105))),
        *step.process(closed(3, (97, 97, 80, 80))),
    ]
    assert told([one for one in signals if isinstance(one, SignalGenerated)]) == [
        "break long 105 gap",
        "break short 80",
    ]


def test_a_rule_that_comes_back_does_not_make_up_for_what_it_missed() -> None:
    """While nobody looked at closes the price went through; that close is not told afterwards."""
    given = rule_set({"kind": "break", "on": "15m", "through_ticks": 3})
    step = fresh(given)
    step.process(closed(1, flat(95)))
    step.process([config("rules", given.name, {})])
    step.process(closed(2, flat(150)))
    step.process([rules(given)])
    assert [step.process(closed(number, flat(150))) for number in (3, 4, 5)] == [[], [], []]
    (signal,) = step.process(closed(6, flat(90)))
    assert isinstance(signal, SignalGenerated)
    assert signal.direction == "short"


def test_a_new_rule_is_decided_on_the_first_close_after_it() -> None:
    """Another rule follows the closes already, so the close before it is known."""
    first = rule_set({"kind": "touch", "on": "15m"}, name="first")
    step = fresh(first)
    step.process([*closed(1, flat(95)), rules(rule_set({"kind": "break", "on": "15m"}))])
    (signal,) = step.process(closed(2, flat(130)))
    assert isinstance(signal, SignalGenerated)
    assert (signal.config, signal.action) == ("test", "break")


@pytest.mark.parametrize("restarts", [False, True])
def test_a_close_is_measured_with_the_range_before_it(restarts: bool) -> None:
    """Also where the commit ends between the candle's reading and its close.

    Half a range through is 3 points of the range before, and 30 of the candle's own.
    """
    when = {"kind": "break", "on": "15m", "through_atr": 0.5}
    step = fresh(rule_set(when, life={"rearm_atr": 1.0, "cooldown_s": 0}))
    for number in (1, 2):
        reading, over = closed(number, flat(95))
        step.process([reading.model_copy(update={"values": {"atr:14": 6.0}}), over])
    reading, over = closed(3, flat(105))
    step.process([reading.model_copy(update={"values": {"atr:14": 60.0}})])
    if restarts:
        step, _ = again(step, {})
    (signal,) = step.process([over])
    assert isinstance(signal, SignalGenerated)
    assert signal.operands["through_ticks"] == 3
    assert signal.operands["atr"] == 6


def test_the_first_close_of_a_session_counts_for_it() -> None:
    """Also where the session before ended unseen, without its daily close."""
    given = rule_set(
        {"kind": "break", "on": "15m"},
        signals_a_day_max=1,
        life={"rearm_ticks": 10, "cooldown_s": 0},
    )
    step = fresh(given)
    step.process([*closed(1, flat(80)), *closed(2, flat(120))])
    reading, over = closed(3, flat(80))
    following = over.model_copy(update={"session_at": FRIDAY + 3 * STEP})
    (signal,) = step.process([reading, following])
    assert isinstance(signal, SignalGenerated)
    assert signal.direction == "short"


def test_a_wick_sweeps_and_a_close_is_back() -> None:
    """At once, or up to so many candles later; a low in between is not back.

    106         |
    102         |     |     *
    100 -------------------------------
     97   *     |     |           *
                P                 S      window_prices = 2
    """
    sweep = {"kind": "sweep", "through_ticks": 5, "window_prices": 2}
    assert play(sweep, flat(97), (97, 106, 97, 98)) == ["sweep short 98"]
    slow = [flat(97), (97, 106, 97, 102), (102, 102, 95, 101), (101, 101, 96, 97)]
    assert play(sweep, *slow) == ["sweep short 97"]
    late = [*slow[:3], (101, 101, 100.5, 101), (101, 101, 96, 97)]
    assert play(sweep, *late) == []


def test_a_swing_is_broken_by_the_close_that_takes_it_away() -> None:
    """The reading of that candle has it no more; what counts is what stood before."""
    when = {"kind": "break", "on": "15m", "timeframe": "15m", "levels": ["swing.high"]}
    step = fresh(rule_set(when))
    swing = level(100, "swing.high")
    step.process(closed(1, flat(95), [swing]))
    step.process(closed(2, flat(96), [swing]))
    (signal,) = step.process(closed(3, flat(103), []))
    assert isinstance(signal, SignalGenerated)
    assert (signal.level_price, signal.price) == (100, 103)
    assert step.process(closed(4, flat(90), [])) == []


patterns = st.one_of(
    st.fixed_dictionaries({"kind": st.just("touch"), "within_ticks": st.integers(0, 4)}),
    st.fixed_dictionaries({"kind": st.just("break"), "through_ticks": st.integers(1, 4)}),
)


@settings(max_examples=120, deadline=None)
@given(patterns, st.integers(0, 2**32), st.booleans())
def test_closes_are_to_candles_what_prices_are_to_ticks(
    when: dict[str, Any], seed: int, restart: bool
) -> None:
    """Touches and breaks equal brute force over the closes, whatever the candles did between.

    Every candle opens where the one before closed, so that nothing is jumped over.
    """
    chance = random.Random(seed)
    life = {"rearm_ticks": 6, "cooldown_s": chance.choice([0, 2700])}
    made = rule_set({"on": "15m", "gap_ticks": 1_000, **when}, life=life, signals_a_day_max=999)
    closes = [100 + chance.randint(-9, 9) for _ in range(60)]
    step, state = fresh(made), dict[str, str]()
    step, state = again(step, state)
    fired: list[int] = []
    before = float(closes[0])
    for number, price in enumerate(closes, 1):
        reach = chance.randint(0, 20)
        high, low = max(before, price) + reach, min(before, price) - reach
        signals = step.process(closed(number, (before, high, low, price)))
        fired += [number for one in signals if isinstance(one, SignalGenerated)]
        before = float(price)
        if restart:
            step, state = again(step, state)
    way = [Point(2 * price, FRIDAY + n * STEP, cut=False) for n, price in enumerate(closes, 1)]
    found = firings(made.rules[0], 2 * int(LEVEL), way)
    assert fired == [one.index + 1 for one in found]
