"""Fair value gaps: the stretch of price that a fast candle leaves between its two neighbours.

Formula: the three-candle rule of M. Huddleston (ICT). Bullish: the third candle's low is above the
first one's high, and the candle between closed above its open; the zone is the stretch between
these two prices. Bearish is the mirror image. A gap is formed at the end of the middle candle and
confirmed at the end of the third. Its life, told for a bullish one, by the candles after that:

    open      nothing has come back to it
    touched   a low was at or under its upper border
    filled    a low was at or under its lower border, the close was not: over
    inverted  a candle closed under its lower border: from then on a resistance
    broken    a candle closed above the upper border of the inverted zone: over

``CAP`` zones a direction are kept; the oldest makes room (replaced).
"""

from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from services.indicators.domain.levels.base import LevelRecipe, LevelState, ZoneParts
from shared.events import CandleClosed

CAP = 5


@dataclass(frozen=True, slots=True)
class FairValueGaps(LevelRecipe):
    """Zones ``fvg.bullish`` and ``fvg.bearish``."""

    WORD = "fvg"

    def start(self) -> "GapState":
        return GapState(self.key)


Status = Literal["open", "touched", "filled", "inverted", "broken"]
Gap = list[Any]
"""Direction (1 bullish, -1 bearish), low, high, formed at, confirmed at, status."""


class GapState(LevelState):
    """The last two candles and the living gaps, oldest first.

    A candle can change a gap only if its low reaches down to ``fall`` or its high up to ``rise``.
    """

    SAVED = ("before", "last", "gaps")
    __slots__ = ("fall", "key", "rise", *SAVED)

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        # High and low of the last candle but one; high, low, direction and end of the last.
        self.before: list[Any] = []
        self.last: list[Any] = []
        self.gaps: list[Gap] = []
        self.refresh()

    def refresh(self) -> None:
        super().refresh()
        reaches = [_reach(gap) for gap in self.gaps]
        self.fall = max((price for price, below in reaches if below), default=-inf)
        self.rise = min((price for price, below in reaches if not below), default=inf)

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        high, low = candle.high, candle.low
        if low <= self.fall or high >= self.rise:
            self._live(candle)
        before, last = self.before, self.last
        if before:
            if last[2] > 0.0 and low > before[0]:
                self._add([1, before[0], low, last[3], candle.at, "open"])
            elif last[2] < 0.0 and high < before[1]:
                self._add([-1, high, before[1], last[3], candle.at, "open"])
        self.before = last
        self.last = [high, low, candle.close - candle.open, candle.at]

    def _add(self, gap: Gap) -> None:
        self.gaps.append(gap)
        if len(self.gaps) > CAP:
            alike = [other for other in self.gaps if other[0] == gap[0]]
            if len(alike) > CAP:
                self.gaps.remove(alike[0])
                self.gone.append((self._key(alike[0]), alike[0][3], "replaced"))
        self.refresh()

    def _live(self, candle: CandleClosed) -> None:
        living = []
        for gap in self.gaps:
            status = _status(gap, candle)
            if status == "filled" or status == "broken":
                self.gone.append((self._key(gap), gap[3], status))
            else:
                living.append(gap if status == gap[5] else [*gap[:5], status])
        self.gaps = living
        self.refresh()

    def zone_parts(self) -> list[ZoneParts]:
        return [
            ZoneParts(
                self._key(gap),
                gap[1],
                gap[2],
                "support" if _reach(gap)[1] else "resistance",
                *gap[3:],
            )
            for gap in self.gaps
        ]

    def _key(self, gap: Gap) -> str:
        return f"{self.key}.bullish" if gap[0] > 0 else f"{self.key}.bearish"


def _reach(gap: Gap) -> tuple[float, bool]:
    """The price at which a gap can change next, and whether that lies below, as a support does."""
    direction, low, high, _, _, status = gap
    below = (direction > 0) != (status == "inverted")
    near, far = (high, low) if below else (low, high)
    return (near if status == "open" else far), below


def _status(gap: Gap, candle: CandleClosed) -> Status:
    """What a candle makes of a gap; a bearish one is looked at in the mirror."""
    direction, low, high, _, _, status = gap
    if direction > 0:
        near, far, reach, close = high, low, candle.low, candle.close
    else:
        near, far, reach, close = -low, -high, -candle.high, -candle.close
    if status == "inverted":
        return "broken" if close > near else "inverted"
    if close < far:
        return "inverted"
    if reach <= far:
        return "filled"
    return "touched" if status == "touched" or reach <= near else "open"
