"""Building blocks of indicators: means and extremes of numbers that come one by one.

Each takes a number with ``push``, in constant time on average, and gives its result back, None
until it has seen enough.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from services.indicators.domain.state import State

_QUIET = 1e-4


class Mean(State):
    """Mean of the last ``length`` numbers.

    The running sum is taken anew each time the ring is full, so that rounding never adds up.
    """

    SAVED = ("ring", "place", "total")
    __slots__ = ("length", *SAVED)

    def __init__(self, length: int) -> None:
        self.length = length
        self.ring: list[float] = []
        self.place = 0
        self.total = 0.0

    def push(self, number: float) -> float | None:
        """Take a number; returns the mean."""
        ring = self.ring
        if len(ring) < self.length:
            ring.append(number)
            if len(ring) < self.length:
                return None
            self.total = sum(ring)
        else:
            place = self.place
            self.total += number - ring[place]
            ring[place] = number
            self.place = place + 1
            if self.place == self.length:
                self.place = 0
                self.total = sum(ring)
        return self.total / self.length


class Deviation(State):
    """Mean and population variance of the last ``length`` numbers.

    Welford's update (Technometrics 4, 1962) for a sliding window, of distances from ``base``: no
    squares of prices, so nothing cancels at a large offset. Taken anew each time the ring is full,
    and where the window has grown so quiet that the rounding of livelier times would show.
    """

    SAVED = ("ring", "place", "base", "mean", "squares", "peak")
    __slots__ = ("length", *SAVED)

    def __init__(self, length: int) -> None:
        self.length = length
        self.ring: list[float] = []
        self.place = 0
        self.base = 0.0
        self.mean = 0.0
        self.squares = 0.0
        self.peak = 0.0

    def push(self, number: float) -> tuple[float, float] | None:
        """Take a number; returns mean and variance."""
        ring = self.ring
        if len(ring) < self.length:
            ring.append(number)
            if len(ring) < self.length:
                return None
            self._take_anew()
        else:
            self._slide(number)
        return self.base + self.mean, self.squares / self.length

    def _slide(self, number: float) -> None:
        place = self.place
        old = self.ring[place]
        self.ring[place] = number
        self.place = place + 1
        before = self.mean
        self.mean = mean = before + (number - old) / self.length
        base = self.base
        self.squares += (number - old) * (number - base - mean + (old - base - before))
        if self.squares > self.peak:
            self.peak = self.squares
        if self.place == self.length:
            self.place = 0
            self._take_anew()
        elif self.squares < _QUIET * self.peak:
            self._take_anew()

    def _take_anew(self) -> None:
        self.base = base = self.ring[0]
        self.mean = mean = sum([number - base for number in self.ring]) / self.length
        self.squares = self.peak = sum([(number - base - mean) ** 2 for number in self.ring])


class Smoothed(State):
    """Exponential mean with weight ``alpha``, begun with the mean of the first ``length`` numbers.

    That seed is TA-Lib's. An EMA has ``alpha`` 2 / (length + 1), Wilder's smoothing 1 / length.
    """

    SAVED = ("count", "value", "total")
    __slots__ = ("alpha", "length", *SAVED)

    def __init__(self, length: int, alpha: float) -> None:
        self.length = length
        self.alpha = alpha
        self.count = 0
        self.total = 0.0
        self.value: float | None = None

    def push(self, number: float) -> float | None:
        """Take a number; returns the mean."""
        value = self.value
        if value is not None:
            self.value = value = value + self.alpha * (number - value)
            return value
        self.count += 1
        self.total += number
        if self.count == self.length:
            self.value = self.total / self.length
        return self.value


def ema(length: int) -> Smoothed:
    """An exponential mean of the usual weight."""
    return Smoothed(length, 2.0 / (length + 1))


def wilder(length: int) -> Smoothed:
    """Wilder's smoothing: New Concepts in Technical Trading Systems (1978)."""
    return Smoothed(length, 1.0 / length)


class Highest(State):
    """The highest of the last ``length`` numbers, as number, count and the time it came with.

    A queue of falling numbers: each is the highest of all that come after it. Of equal numbers the
    oldest counts.
    """

    SAVED = ("queue", "count")
    __slots__ = ("length", *SAVED)

    def __init__(self, length: int) -> None:
        self.length = length
        self.queue: deque[Sequence[Any]] = deque()
        self.count = 0

    def push(self, number: float, at: int = 0) -> Sequence[Any] | None:
        """Take a number; returns the highest."""
        queue, length = self.queue, self.length
        self.count = count = self.count + 1
        while queue and queue[-1][0] < number:
            queue.pop()
        queue.append((number, count, at))
        first = queue[0]
        if first[1] <= count - length:
            queue.popleft()
            first = queue[0]
        return first if count >= length else None


class TrueRange(State):
    """The range of a candle, extended to the close before it; None for the first candle.

    Formula: J. W. Wilder, New Concepts in Technical Trading Systems (1978), ch. III.
    """

    SAVED = ("close",)
    __slots__ = SAVED

    def __init__(self) -> None:
        self.close: float | None = None

    def push(self, high: float, low: float, close: float) -> float | None:
        """Take a candle's prices; returns its true range."""
        before = self.close
        self.close = close
        if before is None:
            return None
        return (high if high > before else before) - (low if low < before else before)
