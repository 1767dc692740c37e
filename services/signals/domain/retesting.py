"""Retest: the price comes back to a zone from the side that the zone holds against."""

from services.signals.domain.arming import Arming
from services.signals.domain.kinds import Retest
from services.signals.domain.moves import (
    ABOVE,
    BELOW,
    NEVER_QUIET,
    TOLERANCE_TICKS,
    Hit,
    Move,
    Quiet,
    Saved,
    Spot,
    against,
    jumped,
)


class Retesting:
    """Hits when the price enters a zone to the asked depth, and one move ago had not.

    The level is the zone's near edge: the upper one of a support, the lower one of a resistance. A
    move that ends beyond the far edge went through the zone and is no retest. The direction is the
    zone's: long at a support, short at a resistance.
    """

    __slots__ = ("_arming", "_edge", "_far", "_side", "_spot", "_trigger", "_when", "quiet")

    def __init__(self, when: Retest, arming: Arming, spot: Spot, far: float) -> None:
        self._when = when
        self._spot = spot
        self._arming = arming
        self._side = ABOVE if far <= spot.price else BELOW
        slack = self._side * TOLERANCE_TICKS * spot.tick
        self._trigger = spot.price + (far - spot.price) * when.depth + slack
        self._edge = far
        self._far = far - slack
        self.quiet = NEVER_QUIET

    def take(self, move: Move) -> Hit | None:
        """Follow the price one step; the hit, if this step is a retest that may be told."""
        self._arming.see(move.price)
        entered = self._inside(move.price) and not self._inside(move.before)
        came = entered and (move.smooth or not self._through(move.price))
        told = came and self._arming.fire(move)
        self.quiet = self._arming.quiet(self._quiet(move.price))
        return self._hit(move) if told else None

    def save(self) -> Saved:
        """The state as JSON values."""
        return self._arming.save()

    def load(self, saved: Saved) -> None:
        """Go on from what ``save`` gave."""
        self._arming.load(saved)

    def moved(self, saved: Saved) -> None:
        """Go on from the state at the zone's former price."""
        self._arming.load(saved)

    def _inside(self, price: float) -> bool:
        return price <= self._trigger if self._side == ABOVE else price >= self._trigger

    def _through(self, price: float) -> bool:
        return price < self._far if self._side == ABOVE else price > self._far

    def _quiet(self, price: float) -> Quiet:
        if self._inside(price) == (self._side == ABOVE):
            return Quiet(high=self._trigger)
        return Quiet(low=self._trigger)

    def _hit(self, move: Move) -> Hit:
        operands = {
            "far_edge": self._edge,
            "depth": self._when.depth,
            "gap_ticks": float(self._when.gap_ticks),
        }
        gap = jumped(self._spot, move, self._when.gap_ticks)
        return Hit("retest", against(self._side), self._side, gap, operands)
