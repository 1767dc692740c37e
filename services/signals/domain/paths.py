"""The way of the price inside a candle, where its ticks are not known."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from shared.events import CandleIn


def path(candle: CandleIn, marks: Iterable[float]) -> Iterator[float]:
    """Open, the extreme nearer to it, the other one, close, and the marks passed on the way.

    The order of the extremes is an assumption, the one that chart platforms make too; that the
    price passed all marks between low and high is certain. Of equal distances the low comes first.
    """
    low_first = candle.open - candle.low <= candle.high - candle.open
    extremes = (candle.low, candle.high) if low_first else (candle.high, candle.low)
    corners = (candle.open, *extremes, candle.close)
    inside = sorted({mark for mark in marks if candle.low < mark < candle.high})
    yield candle.open
    for start, end in pairwise(corners):
        low, high = (start, end) if end > start else (end, start)
        yield from (
            mark for mark in (inside if end > start else reversed(inside)) if low < mark < high
        )
        if end != start:
            yield end
