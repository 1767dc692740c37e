"""Relative strength index: the share of gains in all movement, 0 to 100.

Formula: J. W. Wilder, New Concepts in Technical Trading Systems (1978), ch. VI.
Seed: the mean of the first ``length`` changes, as TA-Lib's RSI; 0 where nothing has ever moved, as
there.
"""

from dataclasses import dataclass

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.rolling import wilder
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Rsi(Recipe):
    """``rsi:14``"""

    WORD = "rsi"

    length: int = 14

    def start(self) -> "RsiState":
        return RsiState(self.length)


class RsiState(State):
    SAVED = ("close", "gain", "loss", "value")
    __slots__ = SAVED

    def __init__(self, length: int) -> None:
        self.close: float | None = None
        self.gain = wilder(length)
        self.loss = wilder(length)
        self.value: float | None = None

    def update(self, candle: CandleClosed) -> None:
        before, self.close = self.close, candle.close
        if before is None:
            return
        change = candle.close - before
        gain = self.gain.push(change if change > 0.0 else 0.0)
        loss = self.loss.push(-change if change < 0.0 else 0.0)
        if gain is not None and loss is not None:
            movement = gain + loss
            self.value = 100.0 * gain / movement if movement > 0.0 else 0.0
