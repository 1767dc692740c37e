"""Pearson's correlation of two symbols over a window, of returns or of prices.

Formula: K. Pearson, Proc. R. Soc. London 58 (1895); returns are logarithms of close over the close
before. Symbols live in different partitions, so no board can compute this: it is for whoever holds
candles of both. There is none while one of the two has not moved at all.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

from services.indicators.domain.recipe import PARAMETER_MAX, RecipeError
from services.indicators.domain.state import State

Of = Literal["returns", "prices"]
# What rounding may leave of a window that stands still; the smallest real move is far above.
_DUST = 1e-20


@dataclass(frozen=True, slots=True)
class Correlation:
    """``correlation:VIX:50:returns``; the window counts returns or prices."""

    symbol: str
    length: int = 50
    of: Of = "returns"

    def __post_init__(self) -> None:
        if not 2 <= self.length <= PARAMETER_MAX:
            raise RecipeError(
                f"correlation: length must be from 2 to {PARAMETER_MAX}, got {self.length}"
            )
        if self.of not in ("returns", "prices"):
            raise RecipeError(f"correlation: say returns or prices, got {self.of!r}")

    @property
    def name(self) -> str:
        return f"correlation:{self.symbol}:{self.length}:{self.of}"

    def start(self) -> "CorrelationState":
        return CorrelationState(self)


class CorrelationState(State):
    """The last pairs, their means, and the sums of products of distances from them.

    Welford's update for a sliding window, taken anew each time the rings are full.
    """

    SAVED = ("before", "first", "second", "place", "means", "sums", "value")
    __slots__ = ("length", "of", *SAVED)

    def __init__(self, recipe: Correlation) -> None:
        self.length = recipe.length
        self.of = recipe.of
        self.before: list[float] = []
        self.first: list[float] = []
        self.second: list[float] = []
        self.place = 0
        self.means = [0.0, 0.0]
        self.sums = [0.0, 0.0, 0.0]
        self.value: float | None = None

    def push(self, first: float, second: float) -> float | None:
        """Take both symbols' closes of one candle; returns the correlation, -1 to 1."""
        if self.of == "returns":
            before, self.before = self.before, [first, second]
            if not before:
                return None
            first, second = log(first / before[0]), log(second / before[1])
        if len(self.first) < self.length:
            self.first.append(first)
            self.second.append(second)
            if len(self.first) < self.length:
                return None
            self._take_anew()
        else:
            self._slide(first, second)
        xx, yy, xy = self.sums
        moves = xx > _DUST and yy > _DUST
        self.value = max(-1.0, min(1.0, xy / sqrt(xx * yy))) if moves else None
        return self.value

    def _slide(self, first: float, second: float) -> None:
        place = self.place
        old_first, old_second = self.first[place], self.second[place]
        self.first[place], self.second[place] = first, second
        self.place = (place + 1) % self.length
        if self.place == 0:
            self._take_anew()
            return
        before_first, before_second = self.means
        dx, dy = first - old_first, second - old_second
        mean_first = before_first + dx / self.length
        mean_second = before_second + dy / self.length
        self.means = [mean_first, mean_second]
        xx, yy, xy = self.sums
        self.sums = [
            xx + dx * (first - mean_first + old_first - before_first),
            yy + dy * (second - mean_second + old_second - before_second),
            xy + dx * (second - mean_second) + (old_first - before_first) * dy,
        ]

    def _take_anew(self) -> None:
        x = sum(self.first) / self.length
        y = sum(self.second) / self.length
        pairs = list(zip(self.first, self.second, strict=True))
        self.means = [x, y]
        self.sums = [
            sum((first - x) ** 2 for first, _ in pairs),
            sum((second - y) ** 2 for _, second in pairs),
            sum((first - x) * (second - y) for first, second in pairs),
        ]
