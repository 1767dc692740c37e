"""Fractal swings: when they are named, and what ends them."""

from services.indicators.domain.levels.swings import CAP, Swings, SwingState
from shared.events import CandleClosed, Level
from tests.indicators.candles import FIRST, ranges

MINUTE = 60_000_000


def after(candles: list[CandleClosed], strength: int = 2) -> SwingState:
    state = SwingState("swing", strength)
    for candle in candles:
        state.update(candle)
    return state


def seen(levels: tuple[Level, ...]) -> list[tuple[str, float, int, int]]:
    """Key and price, and the minutes at whose end the level formed and was confirmed."""
    return [
        (
            level.key,
            level.price,
            (level.formed_at - FIRST) // MINUTE,
            (level.confirmed_at - FIRST) // MINUTE,
        )
        for level in levels
    ]


# highs   5   6   9   7   6      the peak is the third candle, known two candles later
PEAK = ranges((5, 1), (6, 2), (9, 3), (7, 2.5), (6, 2.4))


def test_swing_high_is_known_two_candles_later() -> None:
    """A peak forms at the end of its own candle and is confirmed by the second lower one."""
    assert after(PEAK[:4]).levels == ()
    assert seen(after(PEAK).levels) == [("swing.high", 9, 3, 5)]


def test_swing_low_mirrors_the_high() -> None:
    """A trough with two higher lows on both sides is a swing low."""
    state = after(ranges((9, 5), (9, 4), (9, 1), (9, 2), (9, 3)))
    assert [level for level in seen(state.levels) if level[0] == "swing.low"] == [
        ("swing.low", 1, 3, 5)
    ]


def test_of_equal_highs_the_last_one_counts() -> None:
    """A double top is one swing, at its second peak."""
    state = after(ranges((5, 1), (9, 1), (9, 1), (7, 1), (6, 1)))
    assert seen(state.levels) == [("swing.high", 9, 3, 5)]


def test_strength_is_the_number_of_candles_on_each_side() -> None:
    """With strength 1 a peak needs one lower high on each side, and its key tells the strength."""
    state = Swings(strength=1).start()
    for candle in PEAK[1:4]:
        state.update(candle)
    assert seen(state.levels) == [("swing:1.high", 9, 3, 4)]


def test_close_beyond_breaks_a_swing() -> None:
    """A wick above leaves the level, a close above ends it and says so; SH stays what it was."""
    state = after(PEAK)
    wick = ranges(*[(1, 1)] * 5, (10, 4))[5]
    state.update(wick)
    assert seen(state.levels)[0] == ("swing.high", 9, 3, 5)
    close = ranges(*[(1, 1)] * 6, (12, 8))[6]
    state.update(close)
    assert [(ended.ref, ended.by) for ended in state.ended] == [
        ("swing.high@2026-11-16T00:03Z", "broken")
    ]
    assert [level.price for level in state.levels if level.key == "swing.high"] == []
    assert state.high == 9


def test_oldest_swing_makes_room() -> None:
    """More unbroken swings than the cap push the oldest out, which is told."""
    descending = [pair for n in range(CAP + 1) for pair in ((90 - n, 1), (99 - n, 1), (80 - n, 1))]
    state = SwingState("swing", 1)
    refs = []
    for candle in ranges(*descending):
        state.update(candle)
        refs += [(ended.ref, ended.by) for ended in state.ended]
    assert [level.price for level in state.levels if level.key == "swing.high"] == [
        98, 97, 96, 95, 94
    ]  # fmt: skip
    assert refs == [("swing.high@2026-11-16T00:02Z", "replaced")]
