"""Going into zones and out of them, on prices and on closes; and what their signals say."""

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.events import LevelComputed, SignalGenerated, Zone
from tests.signals.candles import Candles, candle_rule
from tests.signals.play import FRIDAY, THURSDAY, Play, level, levels, rule_set, told

LOW, HIGH = 90.0, 100.0


def gap(low: float = LOW, high: float = HIGH, status: str = "open") -> Zone:
    """A bullish fair value gap, which supports."""
    return Zone(
        key="fvg.bullish",
        low=low,
        high=high,
        side="support",
        formed_at=THURSDAY,
        confirmed_at=THURSDAY,
        status=status,
    )


def at_zone(kind: str, **fields: Any) -> Play:
    """A play of one rule at the gap, whose timeframe is 1h."""
    when = {"kind": kind, "timeframe": "1h", "zones": ["fvg.*"]}
    life = {"rearm_ticks": 1, "cooldown_s": 0}
    body = rule_set({"kind": "touch"}, signals_a_day_max=999).body
    body["rules"][0] |= {"when": when | fields, "life": life}
    play = Play(type(rule_set({"kind": "touch"})).model_validate(body))
    play.send(levels(timeframe="1h").model_copy(update={"zones": (gap(),)}))
    return play


def test_an_entry_counts_from_either_side() -> None:
    """The direction is the zone's own, long at a support; the level is its near edge.

    105   *
    100 -----------------
     95      E        E
     90 -----------------
     85            *
    """
    signals = at_zone("enter").prices(105, 95, 85, 95)
    assert told(signals) == ["enter long 95", "enter long 95"]
    assert [signal.level_price for signal in signals] == [100, 100]
    assert signals[0].reason == ("TEST entered the 1h bullish fair value gap 100 from above at 95")
    assert signals[1].reason.endswith("from below at 95")


def test_an_exit_speaks_for_where_it_leads() -> None:
    """Long upwards, short downwards; the edges belong to the zone."""
    signals = at_zone("leave").prices(95, 100, 101, 95, 90, 89)
    assert told(signals) == ["leave long 101", "leave short 89"]


def test_a_move_over_the_zone_is_neither() -> None:
    """From above to below at once."""
    for kind in ("enter", "leave"):
        assert told(at_zone(kind).prices(105, 85, 105)) == []


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["enter", "leave"]), st.integers(0, 2**32), st.booleans())
def test_every_way_of_the_price(kind: str, seed: int, restart: bool) -> None:
    """Exactly where it is inside and was not, or the other way round; restarted or not."""
    chance, play = random.Random(seed), at_zone(kind)
    prices = [chance.randint(80, 110) for _ in range(60)]
    fired = []
    for number, price in enumerate(prices):
        if play.prices(price):
            fired.append(number)
        if restart:
            play.restart()
    inside = [LOW <= price <= HIGH for price in prices]
    steps = [(was, now) for was, now in pairwise(inside)]
    wanted = (False, True) if kind == "enter" else (True, False)
    crossed = [number for number, step in enumerate(steps, 1) if step == wanted]
    assert [number for number in fired if number not in crossed] == []
    # An edge of the zone's near side re-arms one tick away, so only what stays on it is silent.
    assert len(crossed) - len(fired) <= sum(price == HIGH for price in prices)


def closes(condition: dict[str, Any], *prices: float) -> list[SignalGenerated]:
    """What a candle rule tells at these closes, with the gap known all the time."""
    play = Candles(candle_rule(condition))
    found: list[SignalGenerated] = []
    for price in prices:
        found += _close(play, price)
        play.restart()
    return found


def _close(play: Candles, price: float) -> list[SignalGenerated]:
    process = play.step.process

    def with_zone(events: list[Any]) -> Any:
        return process(
            [
                one.model_copy(update={"zones": (gap(),)})
                if isinstance(one, LevelComputed)
                else one
                for one in events
            ]
        )

    play.step.process = with_zone  # type: ignore[method-assign, assignment]
    return play.one(price, {"atr:14": 4.0}, level(97, "previous_day.high"))


@pytest.mark.parametrize(
    ("kind", "fired"), [("enters", [95, 95]), ("leaves", [105, 85]), ("inside", [95, 95])]
)
def test_closes_go_into_zones_and_out_of_them(kind: str, fired: list[float]) -> None:
    """The first candle is known of only at the second: a step needs one before it."""
    signals = closes({"kind": kind, "zones": ["fvg.*"]}, 105, 105, 95, 105, 95, 85)
    assert [signal.price for signal in signals] == fired


def test_a_zones_signal_is_named_after_it() -> None:
    """With the edge that is nearer as its price, and both among the operands."""
    (signal,) = closes({"kind": "enters", "zones": ["fvg.bullish"]}, 105, 105, 98)
    assert (signal.level, signal.level_price) == ("fvg.bullish", 100)
    assert signal.operands == {"close": 98, "zone low": 90, "zone high": 100}
    assert signal.reason == "TEST 15m candle: close 98 entered fvg.bullish 90 to 100"


@pytest.mark.parametrize(
    ("condition", "named", "why"),
    [
        (
            {"kind": "above", "left": "close", "right": "level:previous_day.high"},
            ("previous_day.high", 97),
            "close 99 above level:previous_day.high 97",
        ),
        (
            {"kind": "breaks_above", "level": "level:previous_day.high", "ticks": 1},
            ("previous_day.high", 97),
            "broke above level:previous_day.high 97 by 1 ticks",
        ),
        (
            {"kind": "above", "left": "close", "right": 96},
            ("close", 99),
            "close 99 above 96",
        ),
        (
            {
                "kind": "all",
                "conditions": [
                    {"kind": "above", "left": "close", "right": 96},
                    {"kind": "time", "zone": "UTC", "start": "00:00", "end": "12:00"},
                ],
            },
            ("close", 99),
            "close 99 above 96 and between 00:00 and 12:00 UTC",
        ),
        (
            {
                "kind": "sequence",
                "within": 2,
                "steps": [
                    {"kind": "below", "left": "close", "right": 96},
                    {"kind": "above", "left": "close", "right": 98},
                ],
            },
            ("close", 99),
            "close below 96, then close 99 above 98 within 2 candles",
        ),
    ],
)
def test_a_condition_is_named_after_its_operands(
    condition: dict[str, Any], named: tuple[str, float], why: str
) -> None:
    """The first level, else the first other price, else the first operand at the close."""
    (signal,) = closes(condition, 95, 95, 99)
    assert (signal.level, signal.level_price) == named
    assert signal.reason == f"TEST 15m candle: {why}"
    assert signal.id.endswith(":2026-11-20T00:45Z")
    assert signal.at > FRIDAY


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ({"kind": "enters", "zones": ["swing.*"]}, "'swing.*' meets no zone; known are fvg"),
        ({"kind": "inside", "zones": ["fvg.*"], "left": "rsi:14"}, "left must be a price"),
        ({"kind": "touches", "level": "rsi:14", "ticks": 1}, "level must be a price"),
        ({"kind": "touches", "level": "vwap"}, "touches needs either ticks, or times and of"),
        ({"kind": "above", "left": "zone:fvg.up.high", "right": 1}, "fvg has bullish, bearish"),
    ],
)
def test_what_can_never_hold_is_refused(condition: dict[str, Any], complaint: str) -> None:
    """At saving, with what there is instead."""
    with pytest.raises(ValidationError, match=complaint):
        candle_rule(condition)
