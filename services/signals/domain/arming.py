"""Firing once: a pattern that has fired stays silent until the price was away and time has gone."""

from services.signals.domain.moves import ABOVE, BELOW, Quiet, Saved, Spot
from services.signals.domain.rules import Life

MICROS = 1_000_000


class Arming:
    """Whether one rule may fire at one level.

    Fired, it is disarmed until a price lies ``rearm_ticks`` or more from the level, on whichever
    side; the firing price itself counts. Cooldown is event time, and one moment fires once.
    """

    __slots__ = ("_cooldown", "_far_high", "_far_low", "armed", "fired_at")

    def __init__(self, life: Life, spot: Spot) -> None:
        self._far_low = spot.reached(BELOW, life.rearm_ticks)
        self._far_high = spot.reached(ABOVE, life.rearm_ticks)
        self._cooldown = life.cooldown_s * MICROS
        self.armed = True
        self.fired_at: int | None = None

    def see(self, price: float) -> None:
        """Re-arm if the price is far enough away."""
        if not self.armed and self._far(price):
            self.armed = True

    def fire(self, price: float, at: int) -> bool:
        """Whether a pattern found now is told; if so, this is the firing."""
        if not self.armed or (self.fired_at is not None and self._hot(at - self.fired_at)):
            return False
        self.fired_at = at
        self.armed = self._far(price)
        return True

    def quiet(self, quiet: Quiet) -> Quiet:
        """A pattern's quiet range, cut where a price would re-arm."""
        return quiet if self.armed else quiet.within(self._far_low, self._far_high)

    def save(self) -> Saved:
        """The state as JSON values."""
        return [int(self.armed), self.fired_at]

    def load(self, saved: Saved) -> None:
        """Go on from what ``save`` gave; what follows it in the list belongs to the pattern."""
        self.armed = bool(saved[0])
        self.fired_at = saved[1]

    def _far(self, price: float) -> bool:
        return price <= self._far_low or price >= self._far_high

    def _hot(self, elapsed: int) -> bool:
        return elapsed <= 0 or elapsed < self._cooldown
