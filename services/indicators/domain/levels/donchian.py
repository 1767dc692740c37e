"""Donchian channel: the highest high and the lowest low of the last candles, the latest included.

Formula: R. Donchian's channel rule (1960). A border is formed and confirmed at the end of the
candle that made it, and replaced when another candle makes it. For the next candle it is the range
of the candles before, so it can be broken.
"""

from dataclasses import dataclass

from services.indicators.domain.levels.base import LevelRecipe, LevelState, level
from services.indicators.domain.rolling import Highest
from shared.events import CandleClosed, Level


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

    SAVED = ("highest", "lowest", "upper", "middle", "lower")
    __slots__ = ("key_lower", "key_upper", *SAVED)

    def __init__(self, key: str, length: int) -> None:
        super().__init__()
        self.key_upper = f"{key}.upper"
        self.key_lower = f"{key}.lower"
        self.highest = Highest(length)
        self.lowest = Highest(length)
        self.upper: float | None = None
        self.middle: float | None = None
        self.lower: float | None = None

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        highest = self.highest.push(candle.high, candle.at)
        lowest = self.lowest.push(-candle.low, candle.at)
        if highest is None or lowest is None:
            return
        upper, _, upper_at = highest
        lower, _, lower_at = lowest
        self.upper, self.lower = upper, -lower
        self.middle = (upper - lower) / 2.0
        if not self.levels:
            self.levels = self._upper(upper, upper_at), self._lower(-lower, lower_at)
            return
        above, below = self.levels
        if above.formed_at != upper_at:
            self.gone.append((self.key_upper, above.formed_at, "replaced"))
            above = self._upper(upper, upper_at)
            self.levels = above, below
        if below.formed_at != lower_at:
            self.gone.append((self.key_lower, below.formed_at, "replaced"))
            self.levels = above, self._lower(-lower, lower_at)

    def _upper(self, price: float, at: int) -> Level:
        return level(self.key_upper, price, "resistance", at, at)

    def _lower(self, price: float, at: int) -> Level:
        return level(self.key_lower, price, "support", at, at)
