"""Break: the price goes through a level."""

from services.signals.domain.arming import Arming
from services.signals.domain.kinds import Break
from services.signals.domain.moves import (
    ABOVE,
    BELOW,
    NEVER_QUIET,
    ON,
    Hit,
    Move,
    Quiet,
    Saved,
    Spot,
    along,
    jumped,
)


class Breaking:
    """Hits when a price lies ``through_ticks`` or more beyond the level, seen from its own side.

    The price's own side is where it was last clear of the level; from then on it is the other one.
    The direction is that of the break: long upwards, short downwards.
    """

    __slots__ = ("_arming", "_down", "_gap", "_side", "_spot", "_through", "_up", "quiet")

    def __init__(self, when: Break, arming: Arming, spot: Spot) -> None:
        self._spot = spot
        self._arming = arming
        self._gap = when.gap_ticks
        self._through = when.through_ticks
        self._up = spot.reached(ABOVE, when.through_ticks)
        self._down = spot.reached(BELOW, when.through_ticks)
        self._side = ON
        self.quiet = NEVER_QUIET

    def take(self, move: Move) -> Hit | None:
        """Follow the price one step; the hit, if this step is a break that may be told."""
        self._arming.see(move.price)
        came_from = self._side if self._side != ON else self._spot.side(move.before)
        self._side = self._side_after(came_from, move.price)
        broken = came_from not in (ON, self._side)
        told = broken and self._arming.fire(move)
        self.quiet = self._quiet()
        return self._hit(move, came_from) if told else None

    def save(self) -> Saved:
        """The state as JSON values."""
        return [*self._arming.save(), self._side]

    def load(self, saved: Saved) -> None:
        """Go on from what ``save`` gave."""
        self._arming.load(saved)
        self._side = saved[2]

    def moved(self, saved: Saved) -> None:
        """Go on from the state at the level's former price: which side is to be seen anew."""
        self._arming.load(saved)

    def _side_after(self, side: int, price: float) -> int:
        if side == ON:
            return self._spot.side(price)
        if price >= self._up:
            return ABOVE
        return BELOW if price <= self._down else side

    def _quiet(self) -> Quiet:
        if self._side == BELOW:
            return self._arming.quiet(Quiet(high=self._up))
        if self._side == ABOVE:
            return self._arming.quiet(Quiet(low=self._down))
        return NEVER_QUIET

    def _hit(self, move: Move, came_from: int) -> Hit:
        gap = jumped(self._spot, move, self._gap)
        operands = {"through_ticks": float(self._through), "gap_ticks": float(self._gap)}
        return Hit("break", along(came_from), came_from, gap, operands)
