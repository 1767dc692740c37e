"""What all patterns have in common, and which one a rule asks for.

A pattern takes the moves of the price at one level and answers a hit or None. Its state is a few
numbers, and ``quiet`` says for which prices nothing can happen (see Quiet's promise).
"""

from typing import Protocol

from services.signals.domain.arming import Arming
from services.signals.domain.breaking import Breaking
from services.signals.domain.kinds import Break, Enter, Leave, Retest, Sweep, Touch
from services.signals.domain.moves import Hit, Move, Quiet, Saved, Spot
from services.signals.domain.retesting import Retesting
from services.signals.domain.rules import Rule
from services.signals.domain.sweeping import Sweeping
from services.signals.domain.touching import Touching
from services.signals.domain.zoning import Zoning


class Pattern(Protocol):
    """One rule's pattern at one level. A new or loaded one is never quiet: it takes one move."""

    quiet: Quiet

    def take(self, move: Move) -> Hit | None:
        """Follow the price one step; the hit, if this step completes what may be told."""
        ...

    def save(self) -> Saved:
        """The state as JSON values."""
        ...

    def load(self, saved: Saved) -> None:
        """Go on from what ``save`` gave."""
        ...

    def moved(self, saved: Saved) -> None:
        """Go on from the state at the level's former price; where the price stood is forgotten."""
        ...


def pattern_at(rule: Rule, spot: Spot, far: float | None = None) -> Pattern:
    """The rule's pattern at a level, or at a zone with this far edge, with nothing seen yet."""
    arming = Arming(rule, spot)
    when = rule.when
    if isinstance(when, Touch):
        return Touching(when, arming, spot)
    if isinstance(when, Break):
        return Breaking(when, arming, spot)
    if isinstance(when, Retest):
        assert far is not None, rule.name
        return Retesting(when, arming, spot, far)
    if isinstance(when, Enter | Leave):
        assert far is not None, rule.name
        return Zoning(when, arming, spot, far)
    assert isinstance(when, Sweep), when.kind
    return Sweeping(when, arming, spot)
