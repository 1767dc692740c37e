"""Retest: back to a zone. A bullish gap from 90 to 100, a bearish one from 110 to 120, tick 1."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.signals.domain.rules import RuleSet
from shared.events import Zone
from shared.events.level import Side
from tests.signals.play import FRIDAY, THURSDAY, Play, levels, told


def retest(depth: float = 0.0, rearm_ticks: int = 5) -> RuleSet:
    """A set of one rule at open fair value gaps of 15m."""
    when = {"kind": "retest", "timeframe": "15m", "zones": ["fvg.*"], "depth": depth}
    life = {"rearm_ticks": rearm_ticks, "cooldown_s": 0}
    rule = {"name": "rule", "when": {**when, "gap_ticks": 20}, "life": life}
    return RuleSet.model_validate({"name": "test", "rules": [rule]})


def zone(low: float, high: float, side: Side = "support", status: str = "open") -> Zone:
    key = "fvg.bullish" if side == "support" else "fvg.bearish"
    return Zone(
        key=key,
        low=low,
        high=high,
        side=side,
        formed_at=THURSDAY,
        confirmed_at=FRIDAY,
        status=status,
    )


def play(rule_set: RuleSet, *zones: Zone) -> Play:
    """A stage that knows these zones of 15m."""
    made = Play(rule_set)
    made.send(levels(timeframe="15m").model_copy(update={"zones": zones}))
    return made


def test_coming_back_from_above_to_a_bullish_gap_is_long() -> None:
    """The first price at its upper edge or under it.

    104    *
    102       *                    *
    100 ----------------------------- near edge
     99          *       *
     95             *                  zone
     90 ----------------------------- far edge
           -  -  R  -    -
    """
    (signal,) = play(retest(), zone(90, 100)).prices(104, 102, 99, 95, 99, 102)
    assert told([signal]) == ["retest long 99"]
    assert signal.reason == (
        "TEST came back to the 15m bullish fair value gap 100 from above at 99"
    )
    assert (signal.level, signal.level_price) == ("fvg.bullish@2026-11-19T00:00Z", 100)
    assert signal.operands["far_edge"] == 90


def test_coming_back_from_below_to_a_bearish_gap_is_short() -> None:
    """The mirror image."""
    signals = play(retest(), zone(110, 120, "resistance")).prices(105, 110)
    assert told(signals) == ["retest short 110"]


def test_the_wrong_side_is_no_retest() -> None:
    """Rising into a bullish gap from under it is not what it holds against."""
    assert told(play(retest(), zone(90, 100)).prices(85, 95, 99)) == []


def test_a_move_through_the_whole_zone_is_no_retest() -> None:
    """From 104 to 89 nothing was seen inside."""
    assert told(play(retest(), zone(90, 100)).prices(104, 89)) == []


def test_depth_asks_for_more_than_the_edge() -> None:
    """Half of the way from 100 to 90 is 95."""
    assert told(play(retest(0.5), zone(90, 100)).prices(104, 96, 95)) == ["retest long 95"]


def test_a_zone_born_around_the_price_is_not_come_back_to() -> None:
    """The price has to leave first."""
    made = Play(retest())
    made.prices(95)
    made.send(levels(timeframe="15m").model_copy(update={"zones": (zone(90, 100),)}))
    assert told(made.prices(94, 96, 101, 99)) == ["retest long 99"]


def test_a_large_move_into_the_zone_is_marked_gap() -> None:
    """It jumped over the near edge."""
    assert told(play(retest(), zone(90, 100)).prices(125, 95)) == ["retest long 95 gap"]


def test_a_touched_zone_is_open_no_more() -> None:
    """After a candle that came back to it the rule has no business there."""
    made = play(retest(), zone(90, 100, status="touched"))
    assert told(made.prices(104, 99)) == []


@settings(deadline=None)
@given(
    st.lists(st.integers(80, 125), min_size=2, max_size=60),
    st.integers(5, 12),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sets(st.integers(0, 60)),
)
def test_equals_the_definition_whatever_restarts(
    prices: Sequence[int], rearm: int, depth: float, restarts: set[int]
) -> None:
    """Entered, not gone through, and armed: looked up in the whole past."""
    made, fired = play(retest(depth, rearm), zone(90, 100)), []
    for number, price in enumerate(prices):
        fired.append(bool(made.prices(price)))
        if number in restarts:
            made.restart()
    trigger, expected = 100 - 10 * depth, [False]
    last: int | None = None
    for number in range(1, len(prices)):
        came = prices[number - 1] > trigger >= prices[number] >= 90
        since = [] if last is None else prices[last : number + 1]
        armed = last is None or any(abs(price - 100) >= rearm for price in since)
        expected.append(came and armed)
        last = number if came and armed else last
    assert fired == expected


@pytest.mark.parametrize("depth", [-0.1, 1.1])
def test_a_depth_outside_the_zone_is_refused(depth: float) -> None:
    """From the near edge, 0, to the far one, 1."""
    with pytest.raises(ValueError, match="than or equal to"):
        retest(depth)
