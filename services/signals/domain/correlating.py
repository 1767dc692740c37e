"""Pearson's correlation of closes, of a rule's symbol and another one.

Formula: K. Pearson, Proc. R. Soc. London 58 (1895); returns are logarithms of a close over the one
of the pair before. There is none while one of the two has not moved at all.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import log, sqrt

from services.signals.domain.others import Pair
from services.signals.domain.series import Correlated

# What rounding may leave of a window that stands still; the smallest real move is far above.
_DUST = 1e-20
# Kept beyond a full window: of the past that the log brings, some may lie ahead of the rule.
_SPARE = 32


class Ring:
    """The last pairs of closes, by time."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self.pairs: list[Pair] = [(at, own, other) for at, own, other in pairs]

    def add(self, pair: Pair, series: Correlated) -> None:
        """Put a pair in its place; what is known of a moment stays."""
        place = bisect_left(self.pairs, pair[0], key=lambda one: one[0])
        if place < len(self.pairs) and self.pairs[place][0] == pair[0]:
            return
        self.pairs.insert(place, pair)
        del self.pairs[: -(series.pairs_needed + _SPARE)]

    def until(self, at: int, series: Correlated) -> list[Pair]:
        """The pairs of the window that ends at a moment, as far as there are any."""
        known = [pair for pair in self.pairs if pair[0] <= at]
        return known[-series.pairs_needed :]


def correlation(pairs: Sequence[Pair], series: Correlated) -> float | None:
    """The correlation over one full window; None if one side stands still."""
    first = [own for _, own, _ in pairs]
    second = [other for _, _, other in pairs]
    if series.of == "returns":
        first, second = _returns(first), _returns(second)
    x, y = sum(first) / len(first), sum(second) / len(second)
    xx = sum((one - x) ** 2 for one in first)
    yy = sum((one - y) ** 2 for one in second)
    if not (xx > _DUST and yy > _DUST):
        return None
    xy = sum((one - x) * (two - y) for one, two in zip(first, second, strict=True))
    return max(-1.0, min(1.0, xy / sqrt(xx * yy)))


def _returns(closes: Sequence[float]) -> list[float]:
    return [log(now / before) for before, now in pairwise(closes)]
