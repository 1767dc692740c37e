"""Touch: the price comes near a level from a side."""

from services.signals.domain.arming import Arming
from services.signals.domain.kinds import Touch
from services.signals.domain.moves import (
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


class Touching:
    """Hits when the price is within ``within_ticks`` and one move ago was not.

    A jump over the level that ends near it is no touch: the price was never at the level on the
    side it came from. The direction is the bounce: short from below, long from above.
    """

    __slots__ = ("_arming", "_gap", "_near_high", "_near_low", "_spot", "_within", "quiet")

    def __init__(self, when: Touch, arming: Arming, spot: Spot) -> None:
        self._spot = spot
        self._arming = arming
        self._gap = when.gap_ticks
        self._within = when.within_ticks
        self._near_low = spot.at(-when.within_ticks - TOLERANCE_TICKS)
        self._near_high = spot.at(when.within_ticks + TOLERANCE_TICKS)
        self.quiet = NEVER_QUIET

    def take(self, move: Move) -> Hit | None:
        """Follow the price one step; the hit, if this step is a touch that may be told."""
        self._arming.see(move.price)
        entered = self._near(move.price) and not self._near(move.before)
        touched = entered and not jumped(self._spot, move, self._gap)
        told = touched and self._arming.fire(move)
        self.quiet = self._quiet(move.price)
        return self._hit(move) if told else None

    def save(self) -> Saved:
        """The state as JSON values."""
        return self._arming.save()

    def load(self, saved: Saved) -> None:
        """Go on from what ``save`` gave."""
        self._arming.load(saved)

    def moved(self, saved: Saved) -> None:
        """Go on from the state at the level's former price."""
        self._arming.load(saved)

    def _near(self, price: float) -> bool:
        return self._near_low <= price <= self._near_high

    def _quiet(self, price: float) -> Quiet:
        if not self._arming.armed:
            return self._arming.quiet(Quiet())
        if price < self._near_low:
            return Quiet(high=self._near_low)
        if price > self._near_high:
            return Quiet(low=self._near_high)
        return Quiet(self._near_low, self._near_high)

    def _hit(self, move: Move) -> Hit:
        side = self._spot.side(move.before)
        operands = {"within_ticks": float(self._within), "gap_ticks": float(self._gap)}
        return Hit("touch", against(side), side, False, operands)
