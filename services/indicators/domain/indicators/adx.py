"""Average directional index: how strongly the price moves one way, 0 to 100.

Formula: J. W. Wilder, New Concepts in Technical Trading Systems (1978), ch. IV.
Seed as TA-Lib's ADX: sums of the first ``length - 1`` movements, then Wilder's smoothing; the first
ADX is the mean of the first ``length`` directional indices. Where nothing moves, an index counts as
0 in that mean and is left out afterwards, as there.
"""

from dataclasses import dataclass

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.rolling import TrueRange
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Adx(Recipe):
    """``adx:14``"""

    WORD = "adx"
    OUTPUTS = ("value", "plus", "minus")

    length: int = 14

    def start(self) -> "AdxState":
        return AdxState(self.length)


class AdxState(State):
    """``up``, ``down`` and ``moved`` are the smoothed sums of both movements and of true ranges."""

    SAVED = (
        "range", "high", "low", "count", "up", "down", "moved", "total", "value", "plus", "minus",
    )  # fmt: skip
    __slots__ = ("length", *SAVED)

    def __init__(self, length: int) -> None:
        self.length = length
        self.range = TrueRange()
        self.high = 0.0
        self.low = 0.0
        self.count = -1
        self.up = 0.0
        self.down = 0.0
        self.moved = 0.0
        self.total = 0.0
        self.value: float | None = None
        self.plus: float | None = None
        self.minus: float | None = None

    def update(self, candle: CandleClosed) -> None:
        high, low = candle.high, candle.low
        rise, fall = high - self.high, self.low - low
        self.high, self.low = high, low
        true_range = self.range.push(high, low, candle.close)
        self.count += 1
        if true_range is None:
            return
        if self.count >= self.length:
            kept = 1.0 - 1.0 / self.length
            self.up *= kept
            self.down *= kept
            self.moved *= kept
        self.moved += true_range
        if fall > 0.0 and fall > rise:
            self.down += fall
        elif rise > 0.0 and rise > fall:
            self.up += rise
        if self.count >= self.length:
            self._index()

    def _index(self) -> None:
        index = None
        if self.moved > 0.0:
            self.plus = 100.0 * self.up / self.moved
            self.minus = 100.0 * self.down / self.moved
            both = self.up + self.down
            index = 100.0 * abs(self.up - self.down) / both if both > 0.0 else None
        if self.value is not None:
            if index is not None:
                self.value += (index - self.value) / self.length
        else:
            self.total += index or 0.0
            if self.count == 2 * self.length - 1:
                self.value = self.total / self.length
