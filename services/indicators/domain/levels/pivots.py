"""Pivots in the five usual systems, out of the last closed candle: on 1d, yesterday's.

They are formed and confirmed at that candle's end, and replaced at the next one's. All systems use
that candle's own prices, Woodie's the close twice (and not, as some tables do, the next open, which
is not known yet).
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.indicators.domain.levels.base import LevelRecipe, LevelState, level
from shared.events import CandleClosed
from shared.events.level import Side

Formula = Callable[[float, float, float, float], dict[str, float]]
"""From open, high, low and close to prices by name: pp, r1.., s1.."""


def classic(open_: float, high: float, low: float, close: float) -> dict[str, float]:
    """The floor traders': J. L. Person, A Complete Guide to Technical Trading Tactics (2004)."""
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


def fibonacci(open_: float, high: float, low: float, close: float) -> dict[str, float]:
    """The classic pivot with Fibonacci's shares of the range: R. Fischer, Fibonacci (1993)."""
    pivot, span = (high + low + close) / 3, high - low
    shares = {"1": 0.382, "2": 0.618, "3": 1.0}
    return {
        "pp": pivot,
        **{f"r{n}": pivot + share * span for n, share in shares.items()},
        **{f"s{n}": pivot - share * span for n, share in shares.items()},
    }


def camarilla(open_: float, high: float, low: float, close: float) -> dict[str, float]:
    """N. Scott's Camarilla equation (1989): 1.1 times the range in parts, around the close."""
    span = 1.1 * (high - low)
    parts = {"1": 12, "2": 6, "3": 4, "4": 2}
    return {
        "pp": (high + low + close) / 3,
        **{f"r{n}": close + span / part for n, part in parts.items()},
        **{f"s{n}": close - span / part for n, part in parts.items()},
    }


def woodie(open_: float, high: float, low: float, close: float) -> dict[str, float]:
    """K. Wood's: the close counts twice."""
    pivot = (high + low + 2 * close) / 4
    return {
        "pp": pivot,
        "r1": 2 * pivot - low,
        "r2": pivot + (high - low),
        "s1": 2 * pivot - high,
        "s2": pivot - (high - low),
    }


def demark(open_: float, high: float, low: float, close: float) -> dict[str, float]:
    """T. DeMark, The New Science of Technical Analysis (1994): weighed by the day's direction."""
    if close < open_:
        base = high + 2 * low + close
    elif close > open_:
        base = 2 * high + low + close
    else:
        base = high + low + 2 * close
    return {"pp": base / 4, "r1": base / 2 - low, "s1": base / 2 - high}


@dataclass(frozen=True, slots=True)
class ClassicPivots(LevelRecipe):
    """``pivot.classic.pp``, ``r1`` to ``r3`` and ``s1`` to ``s3``."""

    WORD = "pivot.classic"

    def start(self) -> "PivotState":
        return PivotState(self.key, classic)


@dataclass(frozen=True, slots=True)
class FibonacciPivots(LevelRecipe):
    """``pivot.fibonacci.pp``, ``r1`` to ``r3`` and ``s1`` to ``s3``."""

    WORD = "pivot.fibonacci"

    def start(self) -> "PivotState":
        return PivotState(self.key, fibonacci)


@dataclass(frozen=True, slots=True)
class CamarillaPivots(LevelRecipe):
    """``pivot.camarilla.pp``, ``r1`` to ``r4`` and ``s1`` to ``s4``."""

    WORD = "pivot.camarilla"

    def start(self) -> "PivotState":
        return PivotState(self.key, camarilla)


@dataclass(frozen=True, slots=True)
class WoodiePivots(LevelRecipe):
    """``pivot.woodie.pp``, ``r1``, ``r2``, ``s1``, ``s2``."""

    WORD = "pivot.woodie"

    def start(self) -> "PivotState":
        return PivotState(self.key, woodie)


@dataclass(frozen=True, slots=True)
class DemarkPivots(LevelRecipe):
    """``pivot.demark.pp``, ``r1``, ``s1``."""

    WORD = "pivot.demark"

    def start(self) -> "PivotState":
        return PivotState(self.key, demark)


SIDES: dict[str, Side] = {"p": "pivot", "r": "resistance", "s": "support"}


class PivotState(LevelState):
    """Its levels are all that it remembers."""

    __slots__ = ("formula", "key")

    def __init__(self, key: str, formula: Formula) -> None:
        super().__init__()
        self.key = key
        self.formula = formula

    def update(self, candle: CandleClosed) -> None:
        self.gone = [(one.key, one.formed_at, "replaced") for one in self.levels]
        prices = self.formula(candle.open, candle.high, candle.low, candle.close)
        self.levels = tuple(
            level(f"{self.key}.{name}", price, SIDES[name[0]], candle.at, candle.at)
            for name, price in prices.items()
        )
