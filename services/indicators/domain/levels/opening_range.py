"""Opening range: high and low of a session's first minutes.

Formula: T. Crabel, Day Trading with Short Term Price Patterns and Opening Range Breakout (1990). A
border is formed at the end of the candle that made it; both are confirmed by the first candle that
ends at or after the range's end (its own prices count only if it ends in time), and expire with the
first candle of the next session. A session that was not seen from its beginning has none.
"""

from dataclasses import dataclass

from services.indicators.domain.levels.base import LevelRecipe, LevelState, level
from shared.events import CandleClosed
from shared.events.base import MICROS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class OpeningRange(LevelRecipe):
    """``opening_range.high`` and ``opening_range.low``; the parameter is minutes."""

    WORD = "opening_range"

    minutes: int = 30

    def start(self) -> "OpeningRangeState":
        return OpeningRangeState(self.key, self.minutes)


class OpeningRangeState(LevelState):
    """The session's range so far; ``high_at`` is 0 where there is nothing more to be seen of it."""

    SAVED = ("session_at", "high", "low", "high_at", "low_at")
    __slots__ = ("key", "length", *SAVED)

    def __init__(self, key: str, minutes: int) -> None:
        super().__init__()
        self.key = key
        self.length = minutes * MICROS_PER_MINUTE
        self.session_at: int | None = None
        self.high = 0.0
        self.low = 0.0
        self.high_at = 0
        self.low_at = 0

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        if candle.session_at != self.session_at:
            self._begin(candle)
        if not self.high_at:
            return
        end = candle.session_at + self.length
        if candle.at <= end:
            self._extend(candle)
        if candle.at >= end:
            self._confirm(candle.at)

    def _begin(self, candle: CandleClosed) -> None:
        self.gone = [(one.key, one.formed_at, "expired") for one in self.levels]
        self.levels = ()
        # The very first candle may stand in the middle of a session.
        seen = self.session_at is not None or candle.open_at == candle.session_at
        in_time = candle.at <= candle.session_at + self.length
        self.session_at = candle.session_at
        self.high, self.low = candle.high, candle.low
        self.high_at = self.low_at = candle.at if seen and in_time else 0

    def _extend(self, candle: CandleClosed) -> None:
        if candle.high > self.high:
            self.high, self.high_at = candle.high, candle.at
        if candle.low < self.low:
            self.low, self.low_at = candle.low, candle.at

    def _confirm(self, at: int) -> None:
        self.levels = (
            level(f"{self.key}.high", self.high, "resistance", self.high_at, at),
            level(f"{self.key}.low", self.low, "support", self.low_at, at),
        )
        self.high_at = 0
