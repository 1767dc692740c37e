"""Stochastic oscillator: where the close lies in the range of the last candles, 0 to 100.

Formula: G. C. Lane, Lane's Stochastics (1984): ``k`` is the raw reading smoothed by a mean of
``smoothing`` values, ``d`` the mean of ``signal`` values of that, as TA-Lib's STOCH; 0 where the
range is empty, as there.
"""

from dataclasses import dataclass

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.rolling import Highest, Mean
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Stochastic(Recipe):
    """``stochastic:14:3:3``"""

    WORD = "stochastic"
    OUTPUTS = ("k", "d")

    length: int = 14
    smoothing: int = 3
    signal: int = 3

    def start(self) -> "StochasticState":
        return StochasticState(self)


class StochasticState(State):
    SAVED = ("highest", "lowest", "fast", "slow", "k", "d")
    __slots__ = SAVED

    def __init__(self, recipe: Stochastic) -> None:
        self.highest = Highest(recipe.length)
        self.lowest = Highest(recipe.length)
        self.fast = Mean(recipe.smoothing)
        self.slow = Mean(recipe.signal)
        self.k: float | None = None
        self.d: float | None = None

    def update(self, candle: CandleClosed) -> None:
        high = self.highest.push(candle.high)
        low = self.lowest.push(-candle.low)
        if high is None or low is None:
            return
        # The lowest low is kept as the highest of negated ones.
        bottom = -low[0]
        span = high[0] - bottom
        raw = 100.0 * (candle.close - bottom) / span if span > 0.0 else 0.0
        self.k = k = self.fast.push(raw)
        if k is not None:
            self.d = self.slow.push(k)
