"""Whether a condition holds: true, false, or unknown while one of its numbers is missing."""

from collections.abc import Callable, Sequence

from services.signals.domain.conditions import (
    Compare,
    Condition,
    Cross,
    Junction,
    Leaf,
    Negation,
    Within,
)
from services.signals.domain.moves import TOLERANCE_TICKS
from services.signals.domain.series import Number, Read, Series

Truth = bool | None
Two = tuple[float | None, float | None]
_WORDS = {
    "above": "above",
    "below": "below",
    "crosses_above": "crossed above",
    "crosses_below": "crossed below",
}


class Evaluation:
    """One look at a condition.

    ``look`` gives a series' number, or None. ``before`` are both sides of each cross at the last
    look, in the condition's own order; afterwards ``pairs`` are those of this look, ``operands``
    every number seen, ``missing`` the names of those that were not there.
    """

    def __init__(
        self, look: Callable[[Read], float | None], before: Sequence[Two], tick: float
    ) -> None:
        self._look = look
        self._before = before
        self._tick = tick
        self.pairs: list[Two] = []
        self.operands: dict[str, float] = {}
        self.missing: list[str] = []

    def truth(self, condition: Condition) -> Truth:
        """Kleene's logic: unknown unless the known parts settle it. Looks at every part."""
        if isinstance(condition, Negation):
            truth = self.truth(condition.condition)
            return None if truth is None else not truth
        if not isinstance(condition, Junction):
            return self._leaf(condition)
        settles = condition.kind == "any"
        truths = [self.truth(part) for part in condition.conditions]
        if settles in truths:
            return settles
        return None if None in truths else not settles

    def _leaf(self, leaf: Leaf) -> Truth:
        left, right = self._number(leaf.left), self._number(leaf.right)
        if isinstance(leaf, Cross):
            return self._cross(leaf, (left, right))
        if left is None or right is None:
            return None
        if isinstance(leaf, Compare):
            return left > right if leaf.kind == "above" else left < right
        return self._within(leaf, abs(left - right))

    def _cross(self, leaf: Cross, now: Two) -> Truth:
        place = len(self.pairs)
        before = self._before[place] if place < len(self._before) else (None, None)
        self.pairs.append(now)
        left, right = now
        if left is None or right is None or before[0] is None or before[1] is None:
            return None
        if not isinstance(leaf.left, Number):
            self.operands[f"{_label(leaf.left)} before"] = before[0]
        if leaf.kind == "crosses_above":
            return before[0] <= before[1] and left > right
        return before[0] >= before[1] and left < right

    def _within(self, leaf: Within, apart: float) -> Truth:
        if leaf.ticks is not None:
            return apart <= (leaf.ticks + TOLERANCE_TICKS) * self._tick
        assert leaf.of is not None
        assert leaf.times is not None
        distance = self._number(leaf.of)
        return None if distance is None else apart <= leaf.times * distance

    def _number(self, series: Series) -> float | None:
        if isinstance(series, Number):
            return series.number
        number = self._look(series)
        if number is None:
            self.missing.append(_label(series))
        else:
            self.operands[_label(series)] = number
        return number


def described(condition: Condition, operands: dict[str, float], decimals: int) -> str:
    """The condition in words, with the numbers that it was decided on."""
    if isinstance(condition, Junction):
        word = " and " if condition.kind == "all" else " or "
        parts = (described(part, operands, decimals) for part in condition.conditions)
        return word.join(parts)
    if isinstance(condition, Negation):
        return f"not ({described(condition.condition, operands, decimals)})"
    left = _shown(condition.left, operands, decimals)
    right = _shown(condition.right, operands, decimals)
    if not isinstance(condition, Within):
        return f"{left} {_WORDS[condition.kind]} {right}"
    if condition.of is None:
        return f"{left} within {condition.ticks} ticks of {right}"
    distance = _shown(condition.of, operands, decimals)
    return f"{left} within {condition.times:g} times {distance} of {right}"


def _shown(series: Series, operands: dict[str, float], decimals: int) -> str:
    if isinstance(series, Number):
        return f"{series.number:g}"
    number = operands.get(_label(series))
    if number is None:
        return _label(series)
    as_price = series.unit in ("price", "distance")
    return (
        f"{_label(series)} {number:.{decimals}f}" if as_price else f"{_label(series)} {number:.4g}"
    )


def _label(series: Read) -> str:
    """``close``, ``1h rsi:14``: the name under which a number stands among the operands."""
    return series.key if series.timeframe is None else f"{series.timeframe} {series.key}"
