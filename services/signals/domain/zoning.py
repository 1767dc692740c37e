"""Enter and leave: the price goes into a zone, or out of it."""

from services.signals.domain.arming import Arming
from services.signals.domain.kinds import Enter, Leave
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
    jumped,
)
from shared.events.signal import Direction


class Zoning:
    """Hits when the price is inside the zone and one move ago was not, or the other way round.

    A move over the whole zone is neither. The direction of an entry is the zone's own, long at a
    support; that of an exit is where it leads, long upwards.
    """

    __slots__ = ("_arming", "_far", "_high", "_low", "_spot", "_when", "quiet")

    def __init__(self, when: Enter | Leave, arming: Arming, spot: Spot, far: float) -> None:
        self._when = when
        self._arming = arming
        self._spot = spot
        self._far = far
        slack = TOLERANCE_TICKS * spot.tick
        low, high = sorted((spot.price, far))
        self._low, self._high = low - slack, high + slack
        self.quiet = NEVER_QUIET

    def take(self, move: Move) -> Hit | None:
        """Follow the price one step; the hit, if this step is one that may be told."""
        self._arming.see(move.price)
        before, now = self._inside(move.before), self._inside(move.price)
        found = before != now and now == (self._when.kind == "enter")
        told = found and self._arming.fire(move)
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
        return self._low <= price <= self._high

    def _quiet(self, price: float) -> Quiet:
        if price < self._low:
            return Quiet(high=self._low)
        return Quiet(low=self._high) if price > self._high else Quiet(self._low, self._high)

    def _hit(self, move: Move) -> Hit:
        numbers = {"far_edge": self._far, "gap_ticks": float(self._when.gap_ticks)}
        gap = jumped(self._spot, move, self._when.gap_ticks)
        if self._when.kind == "enter":
            support = self._far <= self._spot.price
            side = BELOW if move.before < self._low else ABOVE
            return Hit("enter", "long" if support else "short", side, gap, numbers)
        upwards = move.price > self._high
        direction: Direction = "long" if upwards else "short"
        return Hit("leave", direction, BELOW if upwards else ABOVE, gap, numbers)
