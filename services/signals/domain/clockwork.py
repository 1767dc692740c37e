"""Which session a symbol is in, and when its last candles ended, as the spine's closes tell it."""

from collections.abc import Iterable
from typing import Any

from services.signals.domain.book import ActiveRule
from services.signals.domain.hours import SessionSpan
from services.signals.domain.moves import Timing
from shared.events import Close
from shared.market.timeframes import Timeframe


class Clockwork:
    """``timing`` is what a decision now rests on.

    Ends are followed of those timeframes only that some rule may fire once in. A close that ends a
    session tells the next one, so that the first prices of a session know it.
    """

    __slots__ = ("_ends", "_followed", "timing")

    def __init__(self) -> None:
        self._followed: frozenset[Timeframe] = frozenset()
        self._ends: dict[Timeframe, int] = {}
        self.timing = Timing()

    def set_rules(self, rules: Iterable[ActiveRule]) -> None:
        """The rules from here on."""
        self._followed = frozenset(
            one.rule.candle for one in rules if one.rule.life.fires == "once_per_candle"
        )
        self._ends = {frame: at for frame, at in self._ends.items() if frame in self._followed}
        self._set(self.timing.session)

    def enter(self, close: Close) -> bool:
        """A close is to be decided on, in its own session; whether that is another one."""
        session = SessionSpan(close.session_at, close.session_end_at)
        return self._set(session)

    def leave(self, close: Close) -> bool:
        """A close was decided on; whether what follows is decided in other circumstances."""
        ended = {
            window.timeframe: close.at
            for window in close.windows
            if window.timeframe in self._followed
        }
        self._ends.update(ended)
        session = self.timing.session
        if close.windows[-1].timeframe == "1d":
            session = None
            if close.next_session_at is not None:
                session = SessionSpan(close.next_session_at, close.next_session_end_at)
        return self._set(session) or bool(ended)

    def save(self) -> list[Any]:
        """The state as JSON values."""
        return [self.timing.session, self._ends]

    def load(self, saved: list[Any]) -> None:
        """Go on from what ``save`` gave; the rules come afterwards."""
        session, self._ends = saved
        self._set(None if session is None else SessionSpan(*session))

    def _set(self, session: SessionSpan | None) -> bool:
        changed = session != self.timing.session
        self.timing = Timing(session, dict(self._ends))
        return changed
