"""Round numbers: the nearest prices above and below that end in zeros.

People's liking for them: C. Osler, Currency Orders and Exchange Rate Dynamics, Journal of Finance
58 (2003). A price is round if it has at most ``digits`` significant digits: with three, 1.08 and
1.09, 15800 and 15900, 18.4 and 18.5. A level is formed and confirmed with the candle after which it
is the nearest on its side, and replaced with the one after which it is not. A close right on a
round number has its neighbours around it.
"""

from dataclasses import dataclass
from decimal import Decimal

from services.indicators.domain.levels.base import LevelRecipe, LevelState, level
from shared.events import CandleClosed


@dataclass(frozen=True, slots=True)
class RoundNumbers(LevelRecipe):
    """``round_number.above`` and ``round_number.below``."""

    WORD = "round_number"

    digits: int = 3

    def start(self) -> "RoundNumberState":
        return RoundNumberState(self.key, self.digits)


class RoundNumberState(LevelState):
    """Its two levels are the neighbours above and below."""

    __slots__ = ("digits", "key")

    def __init__(self, key: str, digits: int) -> None:
        super().__init__()
        self.key = key
        self.digits = digits

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        if self.levels and self.levels[1].price < candle.close < self.levels[0].price:
            return
        below, above = neighbours(candle.close, self.digits)
        now = (
            level(f"{self.key}.above", above, "resistance", candle.at, candle.at),
            level(f"{self.key}.below", below, "support", candle.at, candle.at),
        )
        before = self.levels or now
        kept = [a.price == b.price for a, b in zip(before, now, strict=True)]
        self.gone = [
            (old.key, old.formed_at, "replaced")
            for old, stays in zip(before, kept, strict=True)
            if not stays
        ]
        self.levels = tuple(
            old if stays else new for old, new, stays in zip(before, now, kept, strict=True)
        )


def neighbours(price: float, digits: int) -> tuple[float, float]:
    """The nearest round prices below and above, reckoned in decimals as people write them."""
    exact = Decimal(repr(price))
    step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    whole = exact // step
    above = float((whole + 1) * step)
    if whole * step != exact:
        return float(whole * step), above
    # Below a power of ten the steps are finer: with three digits 0.999 comes before 1.
    is_power = whole == 10 ** (digits - 1)
    return float(exact - (step / 10 if is_power else step)), above
