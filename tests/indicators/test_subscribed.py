"""Recipes that are subscribed while the market runs: warm at once, alike in every replay."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.indicators.domain.board import TAIL_MAX
from services.indicators.domain.defaults import recipes
from services.indicators.domain.stage import IndicatorsStep, stage, subscribed_field
from services.indicators.domain.subscribed import row_of
from shared.events import CandleClosed, ConfigPassed, Event, LevelComputed
from tests.indicators.candles import ranges

FEW = stage(recipes(("swing:2",), {}))
MORE = stage(recipes(("swing:2", "sma:20", "rsi:7"), {}))
ASKED = ("sma:20", "rsi:7")


def wavy(count: int) -> list[CandleClosed]:
    return ranges(*((100 + (n * 7) % 11 + n % 3, 90 + (n * 5) % 7) for n in range(count)))


def subscribe(*texts: str, seed: Sequence[CandleClosed] = (), pos: int = 40) -> ConfigPassed:
    """The entry that makes these the symbol's only further recipes on 1m."""
    body: dict[str, Any] = {"recipes": {"1m": texts}, "seeds": {"1m": [*map(row_of, seed)]}}
    return ConfigPassed(
        symbol="EURUSD", at=1, pos=pos, kind="indicators", name="EURUSD", version="v", body=body
    )


def play(*events: Event) -> list[Event]:
    return FEW.restore({}).process(events)


def last(readings: Sequence[Event]) -> LevelComputed:
    reading = readings[-1]
    assert isinstance(reading, LevelComputed)
    return reading


def test_a_subscription_has_its_values_at_once() -> None:
    """With the past on the spine the next reading is as if it had been there from the start."""
    candles = wavy(60)
    asked = subscribe(*ASKED, seed=candles[:40])
    assert (
        play(*candles[:40], asked, *candles[40:])[40:] == (MORE.restore({}).process(candles)[40:])
    )


def test_a_past_that_ends_too_early_is_waited_for() -> None:
    """A candle closed while the request was under way: no values, until the past is complete."""
    candles = wavy(60)
    early, late = (
        subscribe(*ASKED, seed=candles[:39]),
        subscribe(*ASKED, seed=candles[:45], pos=47),
    )
    found = play(*candles[:40], early, *candles[40:47], late, *candles[47:])
    whole = MORE.restore({}).process(candles)
    assert set(ASKED) <= set(last(found[:47]).unready)
    assert found[47:] == whole[47:]


def test_restarts_change_nothing() -> None:
    """Restored from what was saved after any event, the stage goes on alike."""
    candles = wavy(60)
    events = [
        *candles[:40],
        subscribe(*ASKED, seed=candles[:38]),
        *candles[40:45],
        subscribe(*ASKED, seed=candles[:43], pos=46),
        *candles[45:],
    ]
    state: dict[str, str] = {}
    pieces: list[Event] = []
    for event in events:
        step = FEW.restore(state)
        pieces += step.process([event])
        state |= step.changes()
    assert pieces == play(*events)


def test_who_waits_too_long_begins_with_what_came() -> None:
    """A bounded number of candles is kept; then the recipe goes on with these alone."""
    candles = wavy(60 + TAIL_MAX)
    found = play(*candles[:40], subscribe("sma:20", seed=candles[:30]), *candles[40:])
    assert "sma:20" in last(found[: 40 + TAIL_MAX]).unready
    expected = sum(candle.close for candle in candles[-20:]) / 20
    assert last(found).values["sma:20"] == pytest.approx(expected, abs=1e-9)


def test_without_a_past_a_recipe_begins_cold() -> None:
    """Nothing of the symbol was kept: the values say that they are not there yet."""
    candles = wavy(60)
    found = play(*candles[:30], subscribe("sma:20"), *candles[30:])
    assert "sma:20" in last(found[:49]).unready
    assert "sma:20" in last(found[:50]).values


def test_what_is_subscribed_no_more_is_gone() -> None:
    """An entry names all that a symbol has; what it leaves out loses state and values."""
    candles = wavy(60)
    asked, fewer = subscribe(*ASKED, seed=candles[:40]), subscribe("rsi:7", pos=50)
    found = last(play(*candles[:40], asked, *candles[40:50], fewer, *candles[50:]))
    assert "rsi:7" in found.values
    assert "sma:20" not in {*found.values, *found.unready}


def test_running_recipes_are_left_alone() -> None:
    """A further subscription gives no past to those that have theirs."""
    candles = wavy(60)
    first = subscribe("sma:20", seed=candles[:40])
    second = subscribe(*ASKED, seed=candles[:50], pos=50)
    found = play(*candles[:40], first, *candles[40:50], second, *candles[50:])
    assert found[50:] == MORE.restore({}).process(candles)[50:]


def test_the_state_tells_what_is_in_force() -> None:
    """One field a symbol, gone with the last recipe."""
    step = FEW.restore({})
    step.process([subscribe(*ASKED)])
    assert step.changes()[subscribed_field("EURUSD")] == '{"1m":["sma:20","rsi:7"]}'
    step.process([subscribe()])
    assert step.changes()[subscribed_field("EURUSD")] == ""


@pytest.mark.parametrize("body", [{"recipes": {"7m": []}}, {"recipes": {"1m": ["smma:3"]}}])
def test_what_is_no_recipe_is_refused(body: dict[str, Any]) -> None:
    """The runtime then steps over the entry, into the dead letters."""
    entry = subscribe().model_copy(update={"body": body})
    with pytest.raises(ValueError, match=r"EURUSD|smma"):
        IndicatorsStep({}, {}).process([entry])
