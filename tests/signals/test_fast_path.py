"""The short way for prices without effect gives exactly what looking at everything gives."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import Event, Level, SignalGenerated, Tick
from shared.events.ticks import Ticks
from tests.signals.naive import Point, firings
from tests.signals.play import (
    FRIDAY,
    SECOND,
    close,
    instrument,
    level,
    levels,
    names,
    rules,
    saved,
    tick,
)

# A tick that has no exact binary form, so that rounding would show.
TICK = 0.01
BASE_HALVES = 20_000
HIGH, LOW = "swing.high", "swing.low"


def price_of(half: int) -> float:
    """A price of so many half ticks."""
    return round(half * TICK / 2, 3)


small = st.integers(0, 6)
wheres = st.fixed_dictionaries(
    {
        "timeframe": st.just("1d"),
        "levels": st.sampled_from([[HIGH], [LOW], ["*"]]),
        "gap_ticks": st.integers(1, 12),
    }
)
touches = st.fixed_dictionaries({"kind": st.just("touch"), "within_ticks": small})
breaks = st.fixed_dictionaries({"kind": st.just("break"), "through_ticks": st.integers(1, 6)})
sweeps = st.fixed_dictionaries(
    {
        "kind": st.just("sweep"),
        "through_ticks": st.integers(1, 4),
        "back_ticks": st.integers(0, 4),
        "window_s": st.integers(1, 20),
        "window_prices": st.none() | st.integers(1, 9),
        "depth_ticks_max": st.none() | st.integers(4, 12),
    }
)
lives = st.fixed_dictionaries({"rearm_ticks": st.integers(7, 12), "cooldown_s": st.integers(0, 15)})


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    """One to four rules of any kind."""
    whens = draw(st.lists(touches | breaks | sweeps, min_size=1, max_size=4))
    given_rules: list[dict[str, Any]] = [
        {"name": f"r{number}", "when": draw(wheres) | when, "life": draw(lives)}
        for number, when in enumerate(whens)
    ]
    return RuleSet.model_validate(
        {"name": "set", "signals_a_day_max": 1_000_000, "rules": given_rules}
    )


@dataclass(frozen=True)
class Market:
    """A way of the price past two levels, all in half ticks."""

    way: tuple[Point, ...]
    levels: dict[str, int]


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Steps of a few ticks, now and then a jump or a cut, sometimes two prices at one time."""
    seed = random.Random(draw(st.integers(0, 2**32)))
    count = draw(st.integers(2, 150))
    half, at, way = BASE_HALVES, FRIDAY, []
    for _ in range(count):
        reach = seed.choice((2, 4, 4, 8, 8, 60))
        half += 2 * (seed.randint(-reach, reach) // 2)
        at += seed.choice((0, 1, SECOND, 2 * SECOND, 5 * SECOND))
        way.append(Point(half, at, seed.random() < 0.03))
    places = {name: BASE_HALVES + draw(st.integers(-12, 12)) for name in (HIGH, LOW)}
    return Market(tuple(way), places)


def spine(market: Market, rule_set: RuleSet) -> list[Event]:
    """The market as a spine; a cut is the end of a session."""
    given_levels: list[Level] = [
        level(price_of(half), key=name) for name, half in market.levels.items()
    ]
    events: list[Event] = [
        instrument(tick_size=TICK, decimals=2),
        rules(rule_set),
        levels(*given_levels),
    ]
    for number, point in enumerate(market.way):
        if point.cut:
            events.append(close(point.at, "1d", at=point.at))
        events.append(tick(price_of(point.half), point.at, number + 2, number))
    return events


def taken(step: SignalsStep, events: Sequence[Event]) -> list[Event]:
    """As the runtime does it: runs of ticks as columns, the rest as it is."""
    signals: list[Event] = []
    for kind, grouped in itertools.groupby(events, key=type):
        batch = list(grouped)
        if kind is Tick:
            signals += step.ticks(Ticks.of([one for one in batch if isinstance(one, Tick)]))
        else:
            signals += step.process(batch)
    return signals


def run(events: Sequence[Event], cuts: Sequence[int], restart: bool) -> list[Event]:
    """Play the events in batches that end at the cuts, restarting there or not."""
    state: dict[str, str] = {}
    step, signals = SignalsStep(state), []
    bounds = [0, *sorted(cuts), len(events)]
    for start, end in itertools.pairwise(bounds):
        signals += taken(step, events[start:end])
        if restart:
            state = saved(state, step)
            step = SignalsStep(state)
    return signals


def by_brute_force(market: Market, rule_set: RuleSet) -> list[tuple[object, ...]]:
    """What the naive evaluator finds, in the order in which the stage answers."""
    found = [
        (one.index, place, rule.name, name, rule.when.kind, one.direction, one.gap)
        for place, (rule, name) in enumerate(
            (rule, name) for rule in rule_set.rules for name in market.levels if names(rule, name)
        )
        for one in firings(rule, market.levels[name], market.way)
    ]
    return [(index, *rest) for index, _, *rest in sorted(found)]


def in_short(signal: Event) -> tuple[object, ...]:
    assert isinstance(signal, SignalGenerated)
    name = signal.level.partition("@")[0]
    return (signal.pos - 2, signal.rule, name, signal.action, signal.direction, signal.gap)


@settings(max_examples=300, deadline=None)
@given(markets(), rule_sets())
def test_the_stage_finds_what_brute_force_finds(market: Market, rule_set: RuleSet) -> None:
    """On random walks, with random rules, signal by signal and in the same order."""
    signals = run(spine(market, rule_set), [], restart=False)
    assert [in_short(signal) for signal in signals] == by_brute_force(market, rule_set)
    assert len({signal.id for signal in signals}) == len(signals)


@settings(max_examples=100, deadline=None)
@given(markets(), rule_sets(), st.lists(st.integers(0, 150), max_size=8), st.booleans())
def test_batches_and_restarts_change_nothing(
    market: Market, rule_set: RuleSet, cuts: list[int], restart: bool
) -> None:
    """However the events are cut, and whether a new process goes on at each cut or not."""
    events = spine(market, rule_set)
    cuts = [min(cut, len(events)) for cut in cuts]
    assert run(events, cuts, restart) == SignalsStep({}).process(events)


def test_brute_force_finds_something() -> None:
    """The comparison above compares signals of all three kinds, not silence."""
    seed = random.Random(7)
    way = tuple(
        Point(BASE_HALVES + 2 * seed.randint(-12, 12), FRIDAY + number * SECOND, cut=False)
        for number in range(500)
    )
    kinds: list[dict[str, Any]] = [
        {"kind": "touch"},
        {"kind": "break"},
        {"kind": "sweep", "window_s": 30},
    ]
    where = {"timeframe": "1d", "levels": [HIGH]}
    life = {"rearm_ticks": 8, "cooldown_s": 0}
    given_rules = [{"name": kind["kind"], "when": where | kind, "life": life} for kind in kinds]
    rule_set = RuleSet.model_validate({"name": "set", "rules": given_rules})
    found = by_brute_force(Market(way, {HIGH: BASE_HALVES}), rule_set)
    assert {kind for _, _, _, kind, _, _ in found} == {"touch", "break", "sweep"}
    assert len(found) > 50
