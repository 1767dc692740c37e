"""Fair value gaps and their lives."""

from services.indicators.domain.levels.fair_value_gaps import CAP, FairValueGaps, GapState
from shared.events import CandleClosed, Ended
from tests.indicators.candles import closed

Prices = tuple[float, float, float, float]

# A candle up from 10 to 13 leaves 10.5 to 12.5 untraded by its neighbours.
UP: list[Prices] = [(10, 10.5, 9.5, 10), (10, 13, 10, 13), (13, 13.5, 12.5, 13)]
# The mirror image about 10.
DOWN: list[Prices] = [(20 - o, 20 - low, 20 - high, 20 - c) for o, high, low, c in UP]


def candles(*prices: Prices) -> list[CandleClosed]:
    return [closed(n, *four) for n, four in enumerate(prices)]


def after(*prices: Prices) -> GapState:
    state = GapState(FairValueGaps().key)
    for candle in candles(*prices):
        state.update(candle)
    return state


def lives(state: GapState) -> list[tuple[str, float, float, str, str]]:
    return [(zone.key, zone.low, zone.high, zone.side, zone.status) for zone in state.zones]


def mirrored(*prices: Prices) -> list[Prices]:
    return [(20 - o, 20 - low, 20 - high, 20 - c) for o, high, low, c in prices]


def test_gap_opens_with_the_third_candle() -> None:
    """It forms at the end of the fast candle and is known one candle later."""
    assert after(*UP[:2]).zones == ()
    state = after(*UP)
    assert lives(state) == [("fvg.bullish", 10.5, 12.5, "support", "open")]
    ends = [candle.at for candle in candles(*UP)]
    assert [(zone.formed_at, zone.confirmed_at) for zone in state.zones] == [(ends[1], ends[2])]
    assert lives(after(*DOWN)) == [("fvg.bearish", 7.5, 9.5, "resistance", "open")]


def test_gap_needs_a_candle_of_its_direction() -> None:
    """A gap whose middle candle closed the other way is none."""
    assert after(UP[0], (13, 13, 10, 10), UP[2]).zones == ()


def test_touch_keeps_the_gap() -> None:
    """A low inside the zone touches it, which it stays."""
    back: Prices = (13, 13, 12, 13)
    away: Prices = (13, 14, 13, 14)
    touched = [("fvg.bullish", 10.5, 12.5, "support", "touched")]
    assert lives(after(*UP, back)) == touched
    assert lives(after(*UP, back, away)) == touched
    assert lives(after(*DOWN, *mirrored(back))) == [
        ("fvg.bearish", 7.5, 9.5, "resistance", "touched")
    ]


def test_wick_through_fills_the_gap() -> None:
    """A low under the zone with a close that is not ends it as filled."""
    state = after(*UP, (13, 13, 10, 11))
    assert lives(state) == []
    assert [(ended.ref, ended.by) for ended in state.ended] == [
        ("fvg.bullish@2026-11-16T00:02Z", "filled")
    ]


def test_close_through_inverts_the_gap() -> None:
    """A close under the zone makes it a resistance, until a close above it breaks that."""
    under: Prices = (13, 13, 10, 10)
    state = after(*UP, under)
    assert lives(state)[0] == ("fvg.bullish", 10.5, 12.5, "resistance", "inverted")
    wick: Prices = (10, 14, 10, 12)
    assert lives(after(*UP, under, wick))[0][4] == "inverted"
    over: Prices = (12, 14, 12, 13)
    state = after(*UP, under, wick, over)
    assert [ended.by for ended in state.ended if "bullish" in ended.ref] == ["broken"]
    state = after(*DOWN, *mirrored(under))
    assert lives(state)[0] == ("fvg.bearish", 7.5, 9.5, "support", "inverted")


def test_oldest_gap_makes_room() -> None:
    """More gaps of a direction than the cap push the oldest out, which is told."""
    stairs = [[part + 10 * n for part in four] for n in range(CAP + 1) for four in UP]
    state = GapState("fvg")
    ended: list[Ended] = []
    for candle in [closed(n, *four) for n, four in enumerate(stairs)]:
        state.update(candle)
        ended += state.ended
    assert len(state.zones) == CAP
    assert ended[0] == Ended(ref="fvg.bullish@2026-11-16T00:02Z", by="replaced")
