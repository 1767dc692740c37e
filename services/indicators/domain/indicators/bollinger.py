"""Bollinger bands: the mean of closes, and bands some standard deviations away.

Formula: J. Bollinger, Bollinger on Bollinger Bands (2001): simple mean, population deviation, as
TA-Lib's BBANDS.
"""

from dataclasses import dataclass
from math import sqrt

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.rolling import Deviation
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Bollinger(Recipe):
    """``bollinger:20:2``"""

    WORD = "bollinger"
    OUTPUTS = ("upper", "middle", "lower")

    length: int = 20
    deviations: float = 2.0

    def start(self) -> "BollingerState":
        return BollingerState(self)


class BollingerState(State):
    SAVED = ("window", "upper", "middle", "lower")
    __slots__ = ("deviations", *SAVED)

    def __init__(self, recipe: Bollinger) -> None:
        self.deviations = recipe.deviations
        self.window = Deviation(recipe.length)
        self.upper: float | None = None
        self.middle: float | None = None
        self.lower: float | None = None

    def update(self, candle: CandleClosed) -> None:
        spread = self.window.push(candle.close)
        if spread is not None:
            self.middle = middle = spread[0]
            width = self.deviations * sqrt(spread[1])
            self.upper = middle + width
            self.lower = middle - width
