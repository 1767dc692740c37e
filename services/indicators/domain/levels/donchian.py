"""Donchian channel: the highest high and the lowest low of the last candles, the latest included.

Formula: R. Donchian's channel rule (1960). A border is formed and confirmed at the end of the
candle that made it, and replaced when another candle makes it. For the next candle it is the range
of the candles before, so it can be broken.
"""

from dataclasses import dataclass

from services.indicators.domain.levels.base import LevelParts, LevelRecipe, LevelState
from services.indicators.domain.rolling import Highest
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class Donchian(LevelRecipe):
    """``donchian.upper`` and ``donchian.lower``; the value ``middle`` lies between."""

    WORD = "donchian"
    OUTPUTS = ("upper", "middle", "lower")

    length: int = 20

    def start(self) -> "DonchianState":
        return DonchianState(self.key, self.length)


class DonchianState(LevelState):
    """The extremes of the window, and the ends of the candles that made them."""

    SAVED = ("highest", "lowest", "upper", "middle", "lower", "upper_at", "lower_at")
    __slots__ = ("key", *SAVED)

    def __init__(self, key: str, length: int) -> None:
        super().__init__()
        self.key = key
        self.highest = Highest(length)
        self.lowest = Highest(length)
        self.upper: float | None = None
        self.middle: float | None = None
        self.lower: float | None = None
        self.upper_at = 0
        self.lower_at = 0

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        upper = self.highest.push(candle.high, candle.at)
        lowest = self.lowest.push(-candle.low, candle.at)
        if upper is None or lowest is None:
            return
        if self.highest.at != self.upper_at:
            self._replace("upper", self.upper_at)
            self.upper, self.upper_at = upper, self.highest.at
        if self.lowest.at != self.lower_at:
            self._replace("lower", self.lower_at)
            self.lower, self.lower_at = -lowest, self.lowest.at
        self.middle = (upper - lowest) / 2.0

    def _replace(self, part: str, formed_at: int) -> None:
        if formed_at:
            self.gone.append((f"{self.key}.{part}", formed_at, "replaced"))
        self.refresh()

    def level_parts(self) -> list[LevelParts]:
        if self.upper is None or self.lower is None:
            return []
        return [
            LevelParts(f"{self.key}.upper", self.upper, "resistance", self.upper_at, self.upper_at),
            LevelParts(f"{self.key}.lower", self.lower, "support", self.lower_at, self.lower_at),
        ]
