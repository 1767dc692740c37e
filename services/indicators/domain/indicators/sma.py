"""Simple moving average of closes."""

from dataclasses import dataclass

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.rolling import Mean
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Sma(Recipe):
    """``sma:20``"""

    WORD = "sma"

    length: int = 20

    def start(self) -> "SmaState":
        return SmaState(self.length)


class SmaState(State):
    SAVED = ("mean", "value")
    __slots__ = SAVED

    def __init__(self, length: int) -> None:
        self.mean = Mean(length)
        self.value: float | None = None

    def update(self, candle: CandleClosed) -> None:
        self.value = self.mean.push(candle.close)
