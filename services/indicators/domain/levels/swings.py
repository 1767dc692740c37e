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
from typing import Any

from services.indicators.domain.levels.base import LevelParts, LevelRecipe, LevelState
from shared.events import CandleClosed
from shared.events.level import Side

CAP = 5

Swing = list[Any]
"""Price, formed at, confirmed at."""


@dataclass(frozen=True, slots=True)
class Swings(LevelRecipe):
    """``swing.high`` and ``swing.low``; for another strength ``swing:5.high``."""

    WORD = "swing"
    OUTPUTS = ("high", "low")

    strength: int = 2

    def start(self) -> "SwingState":
        return SwingState(self.key, self.strength)


class SwingState(LevelState):
    """The last ``2 * strength + 1`` candles' highs, lows and ends, and the unbroken swings.

    ``ceiling`` is the lowest unbroken high, ``floor`` the highest unbroken low.
    """

    SAVED = ("window_high", "window_low", "window_at", "highs", "lows", "high", "low")
    __slots__ = ("ceiling", "floor", "key", "length", *SAVED)

    def __init__(self, key: str, strength: int) -> None:
        super().__init__()
        self.key = key
        self.length = 2 * strength + 1
        self.window_high: deque[float] = deque(maxlen=self.length)
        self.window_low: deque[float] = deque(maxlen=self.length)
        self.window_at: deque[int] = deque(maxlen=self.length)
        self.highs: list[Swing] = []
        self.lows: list[Swing] = []
        self.high: float | None = None
        self.low: float | None = None
        self.refresh()

    def refresh(self) -> None:
        super().refresh()
        self.ceiling = min((swing[0] for swing in self.highs), default=inf)
        self.floor = max((swing[0] for swing in self.lows), default=-inf)

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
            self._add("high", self.highs, [peak, self.window_at[middle], candle.at])
        trough = lows[middle]
        if low > trough == min(lows) and trough not in islice(lows, middle + 1, None):
            self.low = trough
            self._add("low", self.lows, [trough, self.window_at[middle], candle.at])

    def _add(self, side: str, swings: list[Swing], swing: Swing) -> None:
        swings.append(swing)
        if len(swings) > CAP:
            self.gone.append((f"{self.key}.{side}", swings.pop(0)[1], "replaced"))
        self.refresh()

    def _break(self, close: float) -> None:
        for _, formed_at, _ in [swing for swing in self.highs if swing[0] < close]:
            self.gone.append((f"{self.key}.high", formed_at, "broken"))
        for _, formed_at, _ in [swing for swing in self.lows if swing[0] > close]:
            self.gone.append((f"{self.key}.low", formed_at, "broken"))
        self.highs = [swing for swing in self.highs if swing[0] >= close]
        self.lows = [swing for swing in self.lows if swing[0] <= close]
        self.refresh()

    def level_parts(self) -> list[LevelParts]:
        return [
            *(self._parts("high", "resistance", swing) for swing in self.highs),
            *(self._parts("low", "support", swing) for swing in self.lows),
        ]

    def _parts(self, part: str, side: Side, swing: Swing) -> LevelParts:
        price, formed_at, confirmed_at = swing
        return LevelParts(f"{self.key}.{part}", price, side, formed_at, confirmed_at)
