"""Moving average convergence/divergence: a fast EMA less a slow one, and the EMA of that.

Formula: G. Appel, The Moving Average Convergence-Divergence Trading Method (1985).
Seed: both averages have their first value at the same candle, as TA-Lib's MACD, so the fast one
leaves out the first ``slow - fast`` closes.
"""

from dataclasses import dataclass

from services.indicators.domain.recipe import Recipe, RecipeError
from services.indicators.domain.rolling import ema
from services.indicators.domain.state import State
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Macd(Recipe):
    """``macd:12:26:9``"""

    WORD = "macd"
    OUTPUTS = ("line", "signal", "histogram")

    fast: int = 12
    slow: int = 26
    smoothing: int = 9

    def __post_init__(self) -> None:
        Recipe.__post_init__(self)
        if self.fast >= self.slow:
            raise RecipeError(f"{self.name}: fast must be below slow")

    def start(self) -> "MacdState":
        return MacdState(self)


class MacdState(State):
    SAVED = ("left_out", "fast", "slow", "smooth", "line", "signal", "histogram")
    __slots__ = SAVED

    def __init__(self, recipe: Macd) -> None:
        self.left_out = recipe.slow - recipe.fast
        self.fast = ema(recipe.fast)
        self.slow = ema(recipe.slow)
        self.smooth = ema(recipe.smoothing)
        self.line: float | None = None
        self.signal: float | None = None
        self.histogram: float | None = None

    def update(self, candle: CandleClosed) -> None:
        slow = self.slow.push(candle.close)
        if self.left_out:
            self.left_out -= 1
            return
        fast = self.fast.push(candle.close)
        if fast is None or slow is None:
            return
        self.line = line = fast - slow
        self.signal = signal = self.smooth.push(line)
        if signal is not None:
            self.histogram = line - signal
