"""Fractal swings: a high with lower highs on both sides, a low with higher lows.

Formula: B. Williams, Trading Chaos (1995), with a settable number of candles on each side (two is
his): the middle candle's high is above the highs of the ``strength`` candles after it, and not
below those before it, so that of equal highs the last one counts. A swing is formed at the end of
the middle candle and confirmed at the end of the last candle on its right; it is never named
before. It stays valid until a candle closes beyond it (broken), or until there are more than
``CAP`` on its side (the oldest is replaced).

The values ``high`` and ``low`` (SH, SL) are the latest confirmed swings, broken or not.
"""

from collections import deque
from dataclasses import dataclass
from itertools import islice
from math import inf

from services.indicators.domain.levels.base import LevelRecipe, LevelState, level
from shared.events import CandleClosed, Level
from shared.events.level import EndedBy

CAP = 5


@dataclass(frozen=True, slots=True)
class Swings(LevelRecipe):
    """``swing.high`` and ``swing.low``; for another strength ``swing:5.high``."""

    WORD = "swing"
    OUTPUTS = ("high", "low")

    strength: int = 2

    def start(self) -> "SwingState":
        return SwingState(self.key, self.strength)


class SwingState(LevelState):
    """The last ``2 * strength + 1`` candles' highs, lows and ends; its levels are the unbroken.

    ``ceiling`` is the lowest unbroken high, ``floor`` the highest unbroken low.
    """

    SAVED = ("window_high", "window_low", "window_at", "high", "low")
    __slots__ = ("ceiling", "floor", "key_high", "key_low", "length", *SAVED)

    def __init__(self, key: str, strength: int) -> None:
        super().__init__()
        self.key_high = f"{key}.high"
        self.key_low = f"{key}.low"
        self.length = 2 * strength + 1
        self.window_high: deque[float] = deque(maxlen=self.length)
        self.window_low: deque[float] = deque(maxlen=self.length)
        self.window_at: deque[int] = deque(maxlen=self.length)
        self.high: float | None = None
        self.low: float | None = None
        self.derive()

    def derive(self) -> None:
        self.ceiling, self.floor = inf, -inf
        for one in self.levels:
            self._bound(one)

    def _bound(self, swing: Level) -> None:
        if swing.side == "support":
            self.floor = max(self.floor, swing.price)
        else:
            self.ceiling = min(self.ceiling, swing.price)

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        close, high, low = candle.close, candle.high, candle.low
        if close > self.ceiling or close < self.floor:
            self._break(close)
        highs, lows = self.window_high, self.window_low
        highs.append(high)
        lows.append(low)
        self.window_at.append(candle.at)
        if len(highs) < self.length:
            return
        middle = self.length // 2
        # The newest candle alone rules most candidates out, before the whole window is looked at.
        peak = highs[middle]
        if high < peak == max(highs) and peak not in islice(highs, middle + 1, None):
            self.high = peak
            self._add(level(self.key_high, peak, "resistance", self.window_at[middle], candle.at))
        trough = lows[middle]
        if low > trough == min(lows) and trough not in islice(lows, middle + 1, None):
            self.low = trough
            self._add(level(self.key_low, trough, "support", self.window_at[middle], candle.at))

    def _add(self, swing: Level) -> None:
        if len(self.levels) >= CAP:
            alike = [one for one in self.levels if one.side == swing.side]
            if len(alike) == CAP:
                self._end(alike[:1], "replaced")
        self.levels = (*self.levels, swing)
        self._bound(swing)

    def _break(self, close: float) -> None:
        beyond = [
            one
            for one in self.levels
            if (close < one.price if one.side == "support" else close > one.price)
        ]
        self._end(beyond, "broken")

    def _end(self, swings: list[Level], by: EndedBy) -> None:
        self.gone += [(one.key, one.formed_at, by) for one in swings]
        refs = {id(one) for one in swings}
        self.levels = tuple(one for one in self.levels if id(one) not in refs)
        self.derive()
