"""Sweep: the price goes through a level and is back within the window."""

from math import inf
from typing import NamedTuple

from services.signals.domain.arming import MICROS, Arming
from services.signals.domain.kinds import Sweep
from services.signals.domain.moves import (
    BELOW,
    NEVER_QUIET,
    ON,
    TOLERANCE_TICKS,
    Hit,
    Move,
    Quiet,
    Saved,
    Spot,
    against,
    jumped,
)


class Pierce(NamedTuple):
    """The price is beyond the level: since when, how far it went, whether it jumped over."""

    at: int
    number: int
    extreme: float
    gap: bool


class Sweeping:
    """Hits when a price that went ``through_ticks`` beyond the level is back in time.

    Back means at the level or ``back_ticks`` before it. A price that stays out too long or goes
    too deep has broken the level, and its own side is the other one from then on. The direction is
    against the pierce: short after an excursion above, long after one below.
    """

    __slots__ = ("_arming", "_pierce", "_side", "_spot", "_when", "quiet")

    def __init__(self, when: Sweep, arming: Arming, spot: Spot) -> None:
        self._when = when
        self._spot = spot
        self._arming = arming
        self._side = ON
        self._pierce: Pierce | None = None
        self.quiet = NEVER_QUIET

    def take(self, move: Move) -> Hit | None:
        """Follow the price one step; the hit, if this step ends a sweep that may be told."""
        self._arming.see(move.price)
        hit = None if self._pierce is None else self._follow(self._pierce, move)
        if self._pierce is None:
            self._look_for_pierce(move)
        self.quiet = self._arming.quiet(self._quiet())
        return hit

    def reach(self, low: float, high: float, move: Move) -> None:
        """A candle's range, before the move to its close: it may pierce, but is never back."""
        if self._side == ON:
            self._side = self._spot.side(move.before)
        extreme = high if self._side == BELOW else low
        pierce = self._pierce
        if self._side == ON:
            return
        if pierce is None:
            if not self._is_through(extreme):
                return
            gap = jumped(self._spot, move, self._when.gap_ticks)
            pierce = Pierce(move.at, move.count, extreme, gap)
        if not self._is_late(pierce, move):
            self._extend(pierce, extreme)

    def save(self) -> Saved:
        """The state as JSON values."""
        pierce = self._pierce
        saved = None if pierce is None else [*pierce]
        return [*self._arming.save(), self._side, saved]

    def load(self, saved: Saved) -> None:
        """Go on from what ``save`` gave."""
        self._arming.load(saved)
        self._side = saved[2]
        self._pierce = None if saved[3] is None else Pierce(*saved[3])

    def moved(self, saved: Saved) -> None:
        """Go on from the state at the level's former price: which side is to be seen anew."""
        self._arming.load(saved)

    def _look_for_pierce(self, move: Move) -> None:
        if self._side == ON:
            self._side = self._spot.side(move.before)
        if self._side == ON:
            self._side = self._spot.side(move.price)
        elif self._is_through(move.price):
            gap = jumped(self._spot, move, self._when.gap_ticks)
            self._extend(Pierce(move.at, move.count, move.price, gap), move.price)

    def _follow(self, pierce: Pierce, move: Move) -> Hit | None:
        if self._is_late(pierce, move):
            self._break()
        elif self._is_back(move.price):
            self._pierce = None
            if self._arming.fire(move):
                return self._hit(pierce, move)
        else:
            self._extend(pierce, move.price)
        return None

    def _extend(self, pierce: Pierce, price: float) -> None:
        farther = max if self._side == BELOW else min
        self._pierce = pierce._replace(extreme=farther(pierce.extreme, price))
        depth_max = self._when.depth_ticks_max
        if depth_max is not None and self._depth(price) > depth_max + TOLERANCE_TICKS:
            self._break()

    def _break(self) -> None:
        self._side = -self._side
        self._pierce = None

    def _is_late(self, pierce: Pierce, move: Move) -> bool:
        return move.at > self._until(pierce) or move.count > self._until_count(pierce)

    def _is_through(self, price: float) -> bool:
        bound = self._through()
        return price >= bound if self._side == BELOW else price <= bound

    def _is_back(self, price: float) -> bool:
        bound = self._back()
        return price <= bound if self._side == BELOW else price >= bound

    def _through(self) -> float:
        return self._spot.reached(-self._side, self._when.through_ticks)

    def _back(self) -> float:
        return self._spot.reached(self._side, self._when.back_ticks)

    def _depth(self, price: float) -> float:
        """Ticks beyond the level, seen from the price's own side."""
        return -self._side * self._spot.ticks(price)

    def _until(self, pierce: Pierce) -> float:
        window = self._when.window_s
        return inf if window is None else pierce.at + window * MICROS

    def _until_count(self, pierce: Pierce) -> float:
        window = self._when.window_prices
        return inf if window is None else pierce.number + window

    def _quiet(self) -> Quiet:
        if self._side == ON:
            return NEVER_QUIET
        pierce = self._pierce
        if pierce is None:
            through = self._through()
            return Quiet(high=through) if self._side == BELOW else Quiet(low=through)
        low, high = sorted((self._back(), pierce.extreme))
        return Quiet(low, high, self._until(pierce), self._until_count(pierce))

    def _hit(self, pierce: Pierce, move: Move) -> Hit:
        operands = {
            "through_ticks": float(self._when.through_ticks),
            "back_ticks": float(self._when.back_ticks),
            "gap_ticks": float(self._when.gap_ticks),
            "extreme": pierce.extreme,
            "depth_ticks": round(self._depth(pierce.extreme), 6),
            "outside_s": (move.at - pierce.at) / MICROS,
            "outside_prices": float(move.count - pierce.number),
        }
        operands |= _given("window_s", self._when.window_s)
        operands |= _given("window_prices", self._when.window_prices)
        operands |= _given("depth_ticks_max", self._when.depth_ticks_max)
        return Hit("sweep", against(self._side), self._side, pierce.gap, operands)


def _given(name: str, value: int | None) -> dict[str, float]:
    return {} if value is None else {name: float(value)}
