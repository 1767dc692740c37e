"""Exponential moving average of closes.

Seed: the mean of the first ``length`` closes, as TA-Lib's EMA.
"""

from dataclasses import dataclass

from services.indicators.domain import rolling
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Ema(Recipe):
    """``ema:20``"""

    WORD = "ema"

    length: int = 20

    def start(self) -> "EmaState":
        return EmaState(self.length)


class EmaState(State):
    SAVED = ("mean", "value")
    __slots__ = SAVED

    def __init__(self, length: int) -> None:
        self.mean = rolling.ema(length)
        self.value: float | None = None

    def update(self, candle: CandleClosed) -> None:
        self.value = self.mean.push(candle.close)
