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
from services.indicators.domain.levels.base import LevelParts, LevelRecipe, LevelState
from shared.events import CandleClosed


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
    """Both stops' prices, and when they started and got those prices."""

    SAVED = ("atr", "upper", "lower", "trend", "upper_at", "lower_at")
    __slots__ = ("key", "multiple", *SAVED)

    def __init__(self, recipe: AtrStop) -> None:
        super().__init__()
        self.key = recipe.key
        self.multiple = recipe.multiple
        self.atr = AtrState(recipe.length)
        self.upper: float | None = None
        self.lower: float | None = None
        self.trend: float | None = None
        self.upper_at = [0, 0]
        self.lower_at = [0, 0]

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        self.atr.update(candle)
        atr, close = self.atr.value, candle.close
        if atr is None:
            return
        away = self.multiple * atr
        upper, lower = self.upper, self.lower
        if upper is None or close > upper:
            if upper is not None:
                self.trend = 1.0
                self.gone.append((f"{self.key}.upper", self.upper_at[0], "broken"))
            self.upper, self.upper_at = close + away, [candle.at, candle.at]
            self.refresh()
        elif close + away < upper:
            self.upper, self.upper_at[1] = close + away, candle.at
            self.refresh()
        if lower is None or close < lower:
            if lower is not None:
                self.trend = -1.0
                self.gone.append((f"{self.key}.lower", self.lower_at[0], "broken"))
            self.lower, self.lower_at = close - away, [candle.at, candle.at]
            self.refresh()
        elif close - away > lower:
            self.lower, self.lower_at[1] = close - away, candle.at
            self.refresh()

    def level_parts(self) -> list[LevelParts]:
        if self.upper is None or self.lower is None:
            return []
        return [
            LevelParts(f"{self.key}.upper", self.upper, "resistance", *self.upper_at),
            LevelParts(f"{self.key}.lower", self.lower, "support", *self.lower_at),
        ]
