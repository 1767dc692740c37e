"""Average true range.

Formula: J. W. Wilder, New Concepts in Technical Trading Systems (1978), ch. III.
Seed: the mean of the first ``length`` true ranges, of which the first belongs to the second candle,
as TA-Lib's ATR.
"""

from dataclasses import dataclass

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.rolling import TrueRange, wilder
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Atr(Recipe):
    """``atr:14``"""

    WORD = "atr"

    length: int = 14

    def start(self) -> "AtrState":
        return AtrState(self.length)


class AtrState(State):
    SAVED = ("range", "mean", "value")
    __slots__ = SAVED

    def __init__(self, length: int) -> None:
        self.range = TrueRange()
        self.mean = wilder(length)
        self.value: float | None = None

    def update(self, candle: CandleClosed) -> None:
        true_range = self.range.push(candle.high, candle.low, candle.close)
        if true_range is not None:
            self.value = self.mean.push(true_range)
