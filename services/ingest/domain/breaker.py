"""When a provider that fails is asked again: one rule for all its symbols."""

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "probing"]
_S = 1_000_000


@dataclass(frozen=True, slots=True)
class BreakerRecipe:
    """After ``failures`` in a row the breaker opens, for ``open_s``, doubling up to ``open_max_s``.

    Before that each failure is followed by a pause, ``pause_s`` doubling.
    """

    failures: int = 3
    pause_s: float = 1.0
    open_s: float = 15.0
    open_max_s: float = 600.0


class Breaker:
    """Closed while calls succeed; open and silent after failures; then one probe decides.

    Times are µs of one clock, given by the caller. What was sent before the last failure and ends
    after it counts as no further failure, and as no success either; what it says of when to come
    again does count.
    """

    def __init__(self, recipe: BreakerRecipe) -> None:
        self._recipe = recipe
        self._failures = 0
        self._again_at = 0
        self._failed_at = -1

    def state(self, now: int) -> State:
        """What it is at this time."""
        if self._failures < self._recipe.failures:
            return "closed"
        return "open" if now < self._again_at else "probing"

    @property
    def is_lost(self) -> bool:
        """Whether the provider counts as away: others are to be asked meanwhile."""
        return self._failures >= self._recipe.failures

    @property
    def again_at(self) -> int:
        """The earliest time of the next call."""
        return self._again_at

    @property
    def is_sound(self) -> bool:
        """Whether the last call succeeded: calls may be made side by side."""
        return self._failures == 0

    def succeeded(self, sent_at: int) -> bool:
        """A call was answered; whether the provider was lost before and is not any more."""
        if sent_at < self._failed_at:
            return False
        was_lost = self.is_lost
        self._failures, self._again_at = 0, 0
        return was_lost

    def failed(self, sent_at: int, now: int, retry_after_s: float | None = None) -> bool:
        """A call failed; whether the provider is lost by it."""
        was_lost, is_news = self.is_lost, sent_at >= self._failed_at
        told_s = 0.0 if retry_after_s is None else retry_after_s
        if is_news:
            self._failed_at = now
            self._failures += 1
        if told_s > self._recipe.open_max_s:
            # Its own word that it will be away for long.
            self._failures = max(self._failures, self._recipe.failures)
        wait_s = max(self._wait_s(), told_s) if is_news else told_s
        self._again_at = max(self._again_at, now + int(wait_s * _S))
        return self.is_lost and not was_lost

    def _wait_s(self) -> float:
        recipe, over = self._recipe, self._failures - self._recipe.failures
        if over < 0:
            return recipe.pause_s * float(2 ** (self._failures - 1))
        return min(recipe.open_s * float(2 ** min(over, 20)), recipe.open_max_s)
