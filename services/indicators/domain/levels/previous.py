"""High, low, open and close of the last day, week and month that is over, by session.

A level is formed at the end of the candle that made it: on 1d that is the day itself, for a daily
candle does not tell when inside it the high was. A day is over with its 1d candle. Weeks and
months, and days on shorter timeframes, are over when the first candle of the next one has closed:
no calendar is known here, so only then is it certain. The first period seen may have begun before
the first candle and is not shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.indicators.domain.levels.base import LevelRecipe, LevelState, level
from shared.events import CandleClosed
from shared.events.level import Side

_HOUR = 3_600_000_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

Period = Callable[[int], int]
"""The number of the period that a session, given by its open, belongs to."""


def trading_day(session_at: int) -> int:
    """Days since 1970 of a session's trading date.

    That is its UTC date, but for a session that opens at 18:00 UTC or later (FX and CME open in
    the evening before) the next one.
    """
    return (session_at + 6 * _HOUR) // (24 * _HOUR)


def trading_week(session_at: int) -> int:
    """Weeks since 1970, from Monday to Sunday; 1970-01-01 was a Thursday."""
    return (trading_day(session_at) + 3) // 7


def trading_month(session_at: int) -> int:
    """Months since the year 0."""
    day = date.fromordinal(_EPOCH_ORDINAL + trading_day(session_at))
    return day.year * 12 + day.month


@dataclass(frozen=True, slots=True)
class PreviousDay(LevelRecipe):
    """``previous_day.high``, ``.low``, ``.open``, ``.close``."""

    WORD = "previous_day"

    def start(self) -> "PreviousState":
        return PreviousState(self.key, trading_day)


@dataclass(frozen=True, slots=True)
class PreviousWeek(LevelRecipe):
    """``previous_week.high``, ``.low``, ``.open``, ``.close``."""

    WORD = "previous_week"

    def start(self) -> "PreviousState":
        return PreviousState(self.key, trading_week)


@dataclass(frozen=True, slots=True)
class PreviousMonth(LevelRecipe):
    """``previous_month.high``, ``.low``, ``.open``, ``.close``."""

    WORD = "previous_month"

    def start(self) -> "PreviousState":
        return PreviousState(self.key, trading_month)


SIDES: dict[str, Side] = {
    "high": "resistance",
    "low": "support",
    "open": "pivot",
    "close": "pivot",
}


class PreviousState(LevelState):
    """``running`` is the period being watched; its levels show the last one.

    It holds high, low, open, close, and the ends of the candles that made them; ``whole`` tells
    that the period was seen from its beginning.
    """

    SAVED = ("session_at", "number", "whole", "running")
    __slots__ = ("key", "period", *SAVED)

    def __init__(self, key: str, period: Period) -> None:
        super().__init__()
        self.key = key
        self.period = period
        self.session_at: int | None = None
        self.number: int | None = None
        self.whole = False
        self.running: list[Any] = []

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        if candle.timeframe == "1d" and self.period is trading_day:
            self._show(_begin(candle), candle.at)
            return
        if candle.session_at != self.session_at:
            self.session_at = candle.session_at
            self._roll(candle)
        running = self.running
        if candle.high > running[0]:
            running[0] = candle.high
            running[4] = candle.at
        if candle.low < running[1]:
            running[1] = candle.low
            running[5] = candle.at
        running[3] = candle.close
        running[7] = candle.at

    def _roll(self, candle: CandleClosed) -> None:
        number = self.period(candle.session_at)
        if number == self.number:
            return
        if self.whole:
            self._show(self.running, candle.at)
        self.whole = self.number is not None
        self.number = number
        self.running = _begin(candle)

    def _show(self, period: list[Any], known_at: int) -> None:
        self.gone = [(one.key, one.formed_at, "replaced") for one in self.levels]
        parts = zip(SIDES.items(), period[:4], period[4:], strict=True)
        self.levels = tuple(
            level(f"{self.key}.{name}", price, side, formed_at, known_at)
            for (name, side), price, formed_at in parts
        )


def _begin(candle: CandleClosed) -> list[Any]:
    return [candle.high, candle.low, candle.open, candle.close, *[candle.at] * 4]
