"""Round numbers: the nearest prices above and below that end in zeros.

People's liking for them: C. Osler, Currency Orders and Exchange Rate Dynamics, Journal of Finance
58 (2003). A price is round if it has at most ``digits`` significant digits: with three, 1.08 and
1.09, 15800 and 15900, 18.4 and 18.5. A level is formed and confirmed with the candle after which it
is the nearest on its side, and replaced with the one after which it is not. A close right on a
round number has its neighbours around it.
"""

from dataclasses import dataclass
from decimal import Decimal

from services.indicators.domain.levels.base import LevelParts, LevelRecipe, LevelState
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class RoundNumbers(LevelRecipe):
    """``round_number.above`` and ``round_number.below``."""

    WORD = "round_number"

    digits: int = 3

    def start(self) -> "RoundNumberState":
        return RoundNumberState(self.key, self.digits)


class RoundNumberState(LevelState):
    """The neighbours, and when each became one."""

    SAVED = ("above", "below", "above_at", "below_at")
    __slots__ = ("digits", "key", *SAVED)

    def __init__(self, key: str, digits: int) -> None:
        super().__init__()
        self.key = key
        self.digits = digits
        self.above = 0.0
        self.below = 0.0
        self.above_at = 0
        self.below_at = 0

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        if self.below < candle.close < self.above:
            return
        below, above = neighbours(candle.close, self.digits)
        if above != self.above:
            if self.above_at:
                self.gone.append((f"{self.key}.above", self.above_at, "replaced"))
            self.above, self.above_at = above, candle.at
        if below != self.below:
            if self.below_at:
                self.gone.append((f"{self.key}.below", self.below_at, "replaced"))
            self.below, self.below_at = below, candle.at
        self.refresh()

    def level_parts(self) -> list[LevelParts]:
        if not self.above_at:
            return []
        return [
            LevelParts(f"{self.key}.above", self.above, "resistance", self.above_at, self.above_at),
            LevelParts(f"{self.key}.below", self.below, "support", self.below_at, self.below_at),
        ]


def neighbours(price: float, digits: int) -> tuple[float, float]:
    """The nearest round prices below and above, reckoned in decimals as people write them."""
    exact = Decimal(repr(price))
    step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    whole = exact // step
    on_it = whole * step == exact
    return float((whole - 1 if on_it else whole) * step), float((whole + 1) * step)
