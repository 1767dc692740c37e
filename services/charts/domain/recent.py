"""Bounded, ordered collections that the same thing may be put into any number of times.

A topic may be read again from its start: after a restart of Redis, or when a partition went back
to an earlier point. So an element that is known is no news, one that differs from what is known
replaces it, and one older than everything in a full collection is ignored: it was there before.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Generic, TypeVar

from services.charts.domain.shapes import ShownCandle

T = TypeVar("T")
_open_at = attrgetter("open_at")


@dataclass(slots=True)
class CandleRun:
    """The newest closed candles of one symbol and timeframe, by the start of their window."""

    capacity: int
    candles: list[ShownCandle] = field(default_factory=list)

    def put(self, candle: ShownCandle) -> bool:
        """Keep a candle; whether that was news."""
        run = self.candles
        place = bisect_left(run, candle.open_at, key=_open_at)
        if place < len(run) and run[place].open_at == candle.open_at:
            if run[place] == candle:
                return False
            run[place] = candle
            return True
        if place == 0 and len(run) >= self.capacity:
            return False
        run.insert(place, candle)
        if len(run) > self.capacity:
            del run[0]
        return True

    @property
    def newest(self) -> ShownCandle | None:
        """The candle that closed last."""
        return self.candles[-1] if self.candles else None

    def before(self, open_at: int | None, limit: int) -> list[ShownCandle]:
        """Up to ``limit`` candles that opened before ``open_at``, the newest of them, in order."""
        end = len(self.candles)
        if open_at is not None:
            end = bisect_left(self.candles, open_at, key=_open_at)
        return self.candles[max(0, end - limit) : end]


@dataclass(slots=True)
class Recent(Generic[T]):
    """The newest things that have an id, by a time of theirs."""

    capacity: int
    _by_id: dict[str, T] = field(default_factory=dict)
    _order: list[tuple[int, str]] = field(default_factory=list)

    def put(self, at: int, ident: str, item: T) -> bool:
        """Keep a thing; whether that was news. The first time given with an id stays its time."""
        if ident in self._by_id:
            if self._by_id[ident] == item:
                return False
            self._by_id[ident] = item
            return True
        if len(self._order) >= self.capacity and (at, ident) < self._order[0]:
            return False
        insort(self._order, (at, ident))
        self._by_id[ident] = item
        if len(self._order) > self.capacity:
            del self._by_id[self._order.pop(0)[1]]
        return True

    def get(self, ident: str) -> T | None:
        """The thing of this id, if it is kept."""
        return self._by_id.get(ident)

    def newest_first(self) -> list[T]:
        """Everything kept."""
        return [self._by_id[ident] for _, ident in reversed(self._order)]
