"""Supertrend: a band of ATRs around the middle of the candle that only ever tightens.

Formula: O. Seban, as published by TradingView (ta.supertrend): below the price while ``trend`` is
1, above it while it is -1; it flips when a candle closes beyond it. The trend begins downwards, as
there.
"""

from dataclasses import dataclass

from services.indicators.domain.indicators.atr import AtrState
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Supertrend(Recipe):
    """``supertrend:10:3``"""

    WORD = "supertrend"
    OUTPUTS = ("value", "trend")

    length: int = 10
    multiple: float = 3.0

    def start(self) -> "SupertrendState":
        return SupertrendState(self)


class SupertrendState(State):
    SAVED = ("atr", "close", "upper", "lower", "value", "trend")
    __slots__ = ("multiple", *SAVED)

    def __init__(self, recipe: Supertrend) -> None:
        self.multiple = recipe.multiple
        self.atr = AtrState(recipe.length)
        self.close = 0.0
        self.upper: float | None = None
        self.lower: float | None = None
        self.value: float | None = None
        self.trend: float | None = None

    def update(self, candle: CandleClosed) -> None:
        self.atr.update(candle)
        atr, before, self.close = self.atr.value, self.close, candle.close
        if atr is None:
            return
        middle = (candle.high + candle.low) / 2.0
        upper = middle + self.multiple * atr
        lower = middle - self.multiple * atr
        if self.upper is not None and self.lower is not None:
            if upper > self.upper and before <= self.upper:
                upper = self.upper
            if lower < self.lower and before >= self.lower:
                lower = self.lower
        self.upper, self.lower = upper, lower
        if self.trend == 1.0:
            self.trend = -1.0 if candle.close < lower else 1.0
        else:
            self.trend = 1.0 if candle.close > upper else -1.0
        self.value = lower if self.trend == 1.0 else upper
