"""A symbol that has both: candles asked for every minute, and prices told as they are made.

While prices come they count, from the start of a minute on, and candles of that time are kept
aside. What came before is the candles', so every minute is from one of them. Pure: times are µs.
"""

from collections import deque
from typing import Literal

from services.ingest.domain.items import (
    FeedCandle,
    FeedGap,
    FeedReached,
    FeedSource,
    FeedTick,
    Item,
)
from shared.events.base import MICROS_PER_MINUTE, MICROS_PER_SECOND

Mode = Literal["candles", "joining", "ticks"]
# A symbol's prices wait so long at most for the candles before them.
_WAIT_US = 60 * MICROS_PER_SECOND
# Prices that wait, and candles kept aside: more than a minute of a busy symbol, and a few minutes.
_TICKS_MAX, _CANDLES_MAX = 50_000, 15


def next_minute(at: int) -> int:
    """The first start of a minute at or after a time."""
    return -(-at // MICROS_PER_MINUTE) * MICROS_PER_MINUTE


class Overlay:
    """One symbol. ``alive_us`` is how long after a price the next one is waited for before candles
    count again; ``waiting`` says whether there are prices that nobody has had yet."""

    def __init__(self, symbol: str, alive_us: int) -> None:
        self.mode: Mode = "candles"
        self._symbol = symbol
        self._alive_us = alive_us
        self._join_at = 0
        self._reached = 0
        self._last_at = 0
        self._heard_at = 0
        self._ticks: deque[FeedTick] = deque(maxlen=_TICKS_MAX)
        self._kept: deque[FeedCandle] = deque(maxlen=_CANDLES_MAX)
        self._source: FeedSource | None = None
        # The minute after the last price, and that price's time.
        self._hole = (0, 0)

    @property
    def waiting(self) -> bool:
        """Whether prices wait for the candles before them."""
        return bool(self._ticks)

    def tick(self, tick: FeedTick, now: int) -> list[Item]:
        """A price has come."""
        self._heard_at = now
        if self.mode == "ticks":
            self._last_at = max(self._last_at, tick.at)
            return [tick]
        if self.mode == "candles":
            self.mode = "joining"
            # A clock that is behind the market's must not cut a minute in two.
            self._join_at = next_minute(max(tick.at, now, self._last_at))
        if tick.at >= self._join_at:
            self._ticks.append(tick)
        return self._joined() if self._reached >= self._join_at else []

    def candle(self, candle: FeedCandle) -> list[Item]:
        """A candle was given."""
        if self.mode == "candles":
            return self._counted(candle)
        if candle.open_at >= self._join_at:
            self._kept.append(candle)
            return []
        self._reached = max(self._reached, candle.at)
        return [candle] if self.mode == "joining" else []

    def reached(self, told: FeedReached) -> list[Item]:
        """All candles before a time have been given."""
        if self.mode == "candles":
            self._reached = max(self._reached, told.at)
            return [told]
        if self.mode == "ticks":
            return []
        self._reached = max(self._reached, min(told.at, self._join_at))
        if told.at < self._join_at:
            return [told]
        return [FeedReached(self._symbol, self._join_at), *self._joined()]

    def sourced(self, source: FeedSource) -> list[Item]:
        """Whose candles they are."""
        self._source = source
        return [] if self.mode == "ticks" else [source]

    def look(self, now: int) -> list[Item]:
        """Time goes by: windows may close, waiting ends, and prices may have stopped."""
        if self.mode == "candles":
            return []
        if now - self._heard_at > self._alive_us:
            return self._stopped()
        if self.mode == "ticks":
            return [FeedReached(self._symbol, now)]
        if now <= self._join_at + _WAIT_US or not self._ticks:
            return []
        items: list[Item] = []
        if 0 < self._reached < self._join_at:
            told = "the candles before the first price did not come in time"
            items.append(FeedGap(self._symbol, self._join_at, self._reached, told))
        return [*items, *self._joined()]

    def lost(self) -> list[Item]:
        """No price will come for now."""
        return [] if self.mode == "candles" else self._stopped()

    def _joined(self) -> list[Item]:
        """From here on prices count."""
        if not self._ticks:
            return []
        self.mode = "ticks"
        waited = list(self._ticks)
        self._ticks.clear()
        self._last_at = max(tick.at for tick in waited)
        return [FeedSource(self._symbol, self._join_at, waited[0].source, 0.0), *waited]

    def _stopped(self) -> list[Item]:
        """Candles count again, from the minute after the last price's."""
        had, self.mode = self.mode, "candles"
        first = next_minute(self._last_at + 1) if had == "ticks" else self._join_at
        self._ticks.clear()
        kept, items = list(self._kept), list[Item]()
        self._kept.clear()
        if had == "ticks":
            if self._source is not None:
                items.append(self._source._replace(at=first))
            self._hole = (first, self._last_at)
        self._reached = max(self._reached, first)
        return [*items, *(item for one in kept for item in self._counted(one))]

    def _counted(self, candle: FeedCandle) -> list[Item]:
        """A candle that counts, unless prices did in its minute. One of the very next minute shows
        that the market went on when they stopped."""
        first, last_at = self._hole
        if candle.open_at < first:
            return []
        self._reached = max(self._reached, candle.at)
        if candle.open_at != first:
            return [candle]
        told = "prices stopped in the middle of a minute"
        return [FeedGap(self._symbol, first, last_at, told), candle]
