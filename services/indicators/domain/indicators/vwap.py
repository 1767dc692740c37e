"""Volume-weighted average price of the session so far, of typical prices (high + low + close) / 3.

Formula: as a running mean, P. J. Berkowitz, D. E. Logue and E. A. Noser, The Total Cost of
Transactions on the NYSE, Journal of Finance 43 (1988). There is none until the session has volume,
and never one for a market without (FX, indices).
"""

from dataclasses import dataclass

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Vwap(Recipe):
    """``vwap``"""

    WORD = "vwap"

    def start(self) -> "VwapState":
        return VwapState()


class VwapState(State):
    SAVED = ("session_at", "volume", "value")
    __slots__ = SAVED

    def __init__(self) -> None:
        self.session_at: int | None = None
        self.volume = 0.0
        self.value: float | None = None

    def update(self, candle: CandleClosed) -> None:
        if candle.session_at != self.session_at:
            self.session_at = candle.session_at
            self.volume = 0.0
            self.value = None
        volume = candle.volume
        if volume > 0.0:
            self.volume += volume
            typical = (candle.high + candle.low + candle.close) / 3.0
            value = self.value
            if value is None:
                self.value = typical
            else:
                self.value = value + (typical - value) * (volume / self.volume)
