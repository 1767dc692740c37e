"""ATR trailing stops on both sides: some ATRs below and above the close, only ever tightening.

Formula: J. W. Wilder's volatility stop, New Concepts in Technical Trading Systems (1978), ch. III,
trailing the close. Each side tightens candle by candle until a candle closes beyond it; then it is
broken and starts anew from that candle. A stop is one level from its start to its break: formed
where it started, confirmed where it got its present price. ``trend`` flips to 1 where the upper
stop is broken, to -1 where the lower one is, so that the stop on the other side is the one that
trails a position; there is none before the first break.
"""

from dataclasses import dataclass

from services.indicators.domain.indicators.atr import AtrState
from services.indicators.domain.levels.base import LevelRecipe, LevelState, level
from shared.events import CandleClosed, Level


@dataclass(frozen=True, slots=True)
class AtrStop(LevelRecipe):
    """``atr_stop.upper`` and ``atr_stop.lower``."""

    WORD = "atr_stop"
    OUTPUTS = ("upper", "lower", "trend")

    length: int = 14
    multiple: float = 3.0

    def start(self) -> "AtrStopState":
        return AtrStopState(self)


class AtrStopState(LevelState):
    """Its two levels are the upper and the lower stop."""

    SAVED = ("atr", "upper", "lower", "trend")
    __slots__ = ("key", "multiple", *SAVED)

    def __init__(self, recipe: AtrStop) -> None:
        super().__init__()
        self.key = recipe.key
        self.multiple = recipe.multiple
        self.atr = AtrState(recipe.length)
        self.upper: float | None = None
        self.lower: float | None = None
        self.trend: float | None = None

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        self.atr.update(candle)
        if self.atr.value is None:
            return
        close, at, away = candle.close, candle.at, self.multiple * self.atr.value
        if not self.levels:
            self.levels = self._upper(close + away, at, at), self._lower(close - away, at, at)
        above, below = self.levels
        if close > above.price:
            self.trend = 1.0
            self.gone.append((above.key, above.formed_at, "broken"))
            above = self._upper(close + away, at, at)
            self.levels = above, below
        elif close + away < above.price:
            above = self._upper(close + away, above.formed_at, at)
            self.levels = above, below
        if close < below.price:
            self.trend = -1.0
            self.gone.append((below.key, below.formed_at, "broken"))
            self.levels = above, self._lower(close - away, at, at)
        elif close - away > below.price:
            self.levels = above, self._lower(close - away, below.formed_at, at)

    def _upper(self, price: float, formed_at: int, confirmed_at: int) -> Level:
        self.upper = price
        return level(f"{self.key}.upper", price, "resistance", formed_at, confirmed_at)

    def _lower(self, price: float, formed_at: int, confirmed_at: int) -> Level:
        self.lower = price
        return level(f"{self.key}.lower", price, "support", formed_at, confirmed_at)
