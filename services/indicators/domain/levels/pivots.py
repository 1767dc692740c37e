"""Pivots: the five usual systems, out of the last closed candle; by default that of the day.

They are formed and confirmed at that candle's end, and replaced at the next one's. DeMark's and
Woodie's use the open: of the same candle for DeMark; Woodie's weighs the close twice instead of
waiting for the next open, as most tables do.
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.indicators.domain.levels.base import LevelState
from services.indicators.domain.recipe import Recipe
from shared.events import CandleClosed, Level
from shared.events.level import Side

Formula = Callable[[float, float, float, float], dict[str, float]]
"""From open, high, low and close to prices by name: pp, r1.., s1.."""


def classic(open_: float, high: float, low: float, close: float) -> dict[str, float]:
    """The floor traders' formula: J. L. Person, Technical Trading Tactics (2004), ch. 6."""
    pivot = (high + low + close) / 3
    return {
        "pp": pivot,
        "r1": 2 * pivot - low,
        "r2": pivot + (high - low),
        "r3": high + 2 * (pivot - low),
        "s1": 2 * pivot - high,
        "s2": pivot - (high - low),
        "s3": low - 2 * (high - pivot),
    }


@dataclass(frozen=True, slots=True)
class ClassicPivots(Recipe):
    """``pivot.classic.pp``, ``r1`` to ``r3`` and ``s1`` to ``s3``."""

    WORD = "pivot.classic"
    OUTPUTS = ()

    def start(self) -> "PivotState":
        return PivotState(self.key, classic)


SIDES: dict[str, Side] = {"p": "pivot", "r": "resistance", "s": "support"}


class PivotState(LevelState):
    """The last candle's prices and its end."""

    SAVED = ("prices", "known_at")
    __slots__ = ("formula", "key", *SAVED)

    def __init__(self, key: str, formula: Formula) -> None:
        super().__init__()
        self.key = key
        self.formula = formula
        self.prices: list[float] = []
        self.known_at = 0

    def update(self, candle: CandleClosed) -> None:
        self.ended = []
        self.end_all("replaced")
        self.prices = [candle.open, candle.high, candle.low, candle.close]
        self.known_at = candle.at
        self.refresh()

    def build_levels(self) -> list[Level]:
        prices = self.formula(*self.prices) if self.prices else {}
        return [
            Level(
                key=f"{self.key}.{name}",
                price=price,
                side=SIDES[name[0]],
                formed_at=self.known_at,
                confirmed_at=self.known_at,
            )
            for name, price in prices.items()
        ]
