"""What a stretch of prices comes to: the accumulator that candles are made of."""

from math import inf
from operator import attrgetter
from typing import Any

from shared.events import CandleIn
from shared.events.candle import Origin

# From the least to the most alive: a candle is as alive as the liveliest thing in it.
_ORIGINS: tuple[Origin, ...] = ("seed", "backfill", "live")
_LIVE = _ORIGINS.index("live")
_NOT_YET = 2**63


class Cell:
    """Open, high, low, close, volume and count of prices, by the prices' own times.

    A price that comes out of order becomes the close only if it is the latest, and the open only
    if it is the earliest; among equal times the first is the open and the last the close. Candles
    folded in count as no ticks.
    """

    __slots__ = (
        "close",
        "first_at",
        "high",
        "last_at",
        "low",
        "open",
        "rank",
        "source",
        "ticks",
        "volume",
    )

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.first_at = _NOT_YET
        self.last_at = -1
        self.open = self.close = 0.0
        self.high, self.low = -inf, inf
        self.volume = 0.0
        self.ticks = 0
        self.source = ""
        self.rank = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is no price in it."""
        return self.last_at < 0

    @property
    def origin(self) -> Origin:
        """The liveliest origin in it."""
        return _ORIGINS[self.rank]

    def add(self, at: int, price: float, size: float, source: str) -> None:
        """Fold in one tick."""
        self.ticks += 1
        self.volume += size
        if at >= self.last_at:
            self.last_at, self.close, self.source = at, price, source
        if at < self.first_at:
            self.first_at, self.open, self.rank = at, price, _LIVE
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price

    def fill(self, candle: CandleIn) -> None:
        """Be one candle. Its close is the last thing before its end."""
        self.first_at, self.last_at = candle.open_at, candle.at - 1
        self.open, self.close = candle.open, candle.close
        self.high, self.low = candle.high, candle.low
        self.volume = candle.volume
        self.ticks = 0
        self.source = candle.source
        self.rank = _ORIGINS.index(candle.origin)

    def pour(self, other: "Cell") -> None:
        """Fold in another cell, which stays as it is."""
        if other.is_empty:
            return
        if other.last_at >= self.last_at:
            self.last_at, self.close, self.source = other.last_at, other.close, other.source
        if other.first_at < self.first_at:
            self.first_at, self.open = other.first_at, other.open
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.volume += other.volume
        self.ticks += other.ticks
        self.rank = max(self.rank, other.rank)

    def save(self) -> tuple[Any, ...]:
        """The state as JSON values."""
        return _values(self)

    def load(self, values: list[Any]) -> None:
        """Go on from what ``save`` gave."""
        for name, value in zip(self.__slots__, values, strict=True):
            setattr(self, name, value)


_values = attrgetter(*Cell.__slots__)
