"""Firing once: a pattern that has fired stays silent until the price was away and time has gone."""

from services.signals.domain.moves import ABOVE, BELOW, Ends, Move, Quiet, Saved, Spot
from services.signals.domain.rules import Rule

MICROS = 1_000_000


class Arming:
    """Whether one rule may fire at one level.

    Fired, it is disarmed until a price lies ``rearm_ticks`` or more from the level, on whichever
    side; the firing price itself counts. Cooldown is event time, and one moment fires once. Outside
    the rule's windows of time nothing is told, and nothing disarmed.
    """

    __slots__ = ("_cooldown", "_far_high", "_far_low", "_rule", "armed", "fired_at")

    def __init__(self, rule: Rule, spot: Spot) -> None:
        self._rule = rule
        self._far_low = spot.reached(BELOW, rule.life.rearm_ticks)
        self._far_high = spot.reached(ABOVE, rule.life.rearm_ticks)
        self._cooldown = rule.life.cooldown_s * MICROS
        self.armed = True
        self.fired_at: int | None = None

    def see(self, price: float) -> None:
        """Re-arm if the price is far enough away."""
        if not self.armed and self._far(price):
            self.armed = True

    def fire(self, move: Move) -> bool:
        """Whether a pattern found now is told; if so, this is the firing."""
        if not self.armed or self._spent(move) or not self._in_time(move):
            return False
        self.fired_at = move.at
        self.armed = self._far(move.price)
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

    def _spent(self, move: Move) -> bool:
        """Whether an earlier firing forbids this one."""
        if self.fired_at is None:
            return False
        if move.at <= self.fired_at or move.at - self.fired_at < self._cooldown:
            return True
        return spent(self._rule, self.fired_at, move.timing.ends, on_close=move.opened is not None)

    def _in_time(self, move: Move) -> bool:
        during = self._rule.during
        return not during or any(one.holds(move.moment, move.timing.session) for one in during)


def spent(rule: Rule, fired_at: int, ends: Ends, *, on_close: bool) -> bool:
    """Whether a rule that fired then has had its turn, for good or in this candle.

    ``ends`` are those before the candle that is decided on; what was decided on a close at a
    candle's very start belongs to the candle before.
    """
    fires = rule.life.fires
    if fires == "once_per_candle":
        return fired_at >= ends.get(rule.candle, 0) + on_close
    return fires == "once"
