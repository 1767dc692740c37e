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

from services.indicators.domain.levels.base import LevelRecipe, LevelState
from shared.events import CandleClosed, Zone
from shared.events.trusted import trusted

CAP = 5


@dataclass(frozen=True, slots=True)
class FairValueGaps(LevelRecipe):
    """Zones ``fvg.bullish`` and ``fvg.bearish``."""

    WORD = "fvg"

    def start(self) -> "GapState":
        return GapState(self.key)


Status = Literal["open", "touched", "filled", "inverted", "broken"]


class GapState(LevelState):
    """The last two candles; its zones are the living gaps, oldest first.

    A candle can change a gap only if its low reaches down to ``fall`` or its high up to ``rise``.
    """

    SAVED = ("before", "last")
    __slots__ = ("bearish", "bullish", "fall", "rise", *SAVED)

    def __init__(self, key: str) -> None:
        super().__init__()
        self.bullish = f"{key}.bullish"
        self.bearish = f"{key}.bearish"
        # High, low, direction and end of the last candle but one, and of the last.
        self.before: list[Any] = []
        self.last: list[Any] = []
        self.derive()

    def derive(self) -> None:
        self.fall, self.rise = -inf, inf
        for zone in self.zones:
            self._bound(zone)

    def _bound(self, zone: Zone) -> None:
        is_open = zone.status == "open"
        if zone.side == "support":
            self.fall = max(self.fall, zone.high if is_open else zone.low)
        else:
            self.rise = min(self.rise, zone.low if is_open else zone.high)

    def update(self, candle: CandleClosed) -> None:
        if self.gone:
            self.gone = []
        high, low = candle.high, candle.low
        if low <= self.fall or high >= self.rise:
            self._live(candle)
        before, last = self.before, self.last
        if before:
            if last[2] > 0.0 and low > before[0]:
                self._add(_open(self.bullish, before[0], low, last[3], candle.at))
            elif last[2] < 0.0 and high < before[1]:
                self._add(_open(self.bearish, high, before[1], last[3], candle.at))
        self.before = last
        self.last = [high, low, candle.close - candle.open, candle.at]

    def _add(self, gap: Zone) -> None:
        if len(self.zones) >= CAP:
            alike = [zone for zone in self.zones if zone.key == gap.key]
            if len(alike) == CAP:
                self.gone.append((gap.key, alike[0].formed_at, "replaced"))
                self.zones = tuple(zone for zone in self.zones if zone is not alike[0])
                self.derive()
        self.zones = (*self.zones, gap)
        self._bound(gap)

    def _live(self, candle: CandleClosed) -> None:
        living = []
        for zone in self.zones:
            status = _status(zone, zone.key == self.bullish, candle)
            if status == "filled" or status == "broken":
                self.gone.append((zone.key, zone.formed_at, status))
            else:
                living.append(zone if status == zone.status else _become(zone, status))
        self.zones = tuple(living)
        self.derive()


def _open(key: str, low: float, high: float, formed_at: int, confirmed_at: int) -> Zone:
    fields = {
        "key": key,
        "low": low,
        "high": high,
        "side": "support" if key.endswith("bullish") else "resistance",
        "formed_at": formed_at,
        "confirmed_at": confirmed_at,
        "status": "open",
    }
    return trusted(Zone, fields)


def _become(zone: Zone, status: Status) -> Zone:
    side = zone.side
    if status == "inverted":
        side = "resistance" if side == "support" else "support"
    return trusted(Zone, {**zone.__dict__, "side": side, "status": status})


def _status(zone: Zone, bullish: bool, candle: CandleClosed) -> Status:
    """What a candle makes of a gap; a bearish one is looked at in the mirror."""
    if bullish:
        near, far, reach, close = zone.high, zone.low, candle.low, candle.close
    else:
        near, far, reach, close = -zone.low, -zone.high, -candle.high, -candle.close
    if zone.status == "inverted":
        return "broken" if close > near else "inverted"
    if close < far:
        return "inverted"
    if reach <= far:
        return "filled"
    return "touched" if zone.status == "touched" or reach <= near else "open"
