"""The daily cap: how many signals of a rule set a symbol has had in its session."""

from collections.abc import Collection
from typing import Any

from shared.events import Close

Counts = dict[str, int]


class Quota:
    """Counts signals, told and suppressed, by rule set; a new session starts at zero.

    The session is over with the close of its daily candle, or at the latest with a close that
    names another session. No clock is involved. The counts of a session that is over are kept
    while something of it is still to be decided.
    """

    __slots__ = ("_over", "_session_at", "changed", "sent", "suppressed")

    def __init__(self) -> None:
        self._session_at: int | None = None
        self._over: dict[int, tuple[Counts, Counts]] = {}
        self.sent: Counts = {}
        self.suppressed: Counts = {}
        self.changed = False

    def grant(self, config: str, signals_max: int, session_at: int | None = None) -> bool:
        """Whether one more signal of this set may go out; counted either way.

        ``session_at`` is the session that it belongs to, the present one unless given.
        """
        present = (self.sent, self.suppressed)
        sent, suppressed = present if session_at is None else self._over.get(session_at, present)
        granted = sent.get(config, 0) < signals_max
        counts = sent if granted else suppressed
        counts[config] = counts.get(config, 0) + 1
        self.changed = True
        return granted

    def enter(self, close: Close, needed: Collection[int] = ()) -> bool:
        """A close is to be decided on, in its own session; whether anything is different.

        ``needed`` are the sessions of which something is still to be decided.
        """
        before, self._session_at = self._session_at, close.session_at
        if before not in (None, close.session_at):
            self._start_anew(before, needed)
        return before != close.session_at

    def leave(self, close: Close, needed: Collection[int] = ()) -> bool:
        """A close was decided on; whether its session is over with it."""
        over = ends_session(close)
        if over:
            self._session_at = None
            self._start_anew(close.session_at, needed)
        return over

    def save(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "session_at": self._session_at,
            "sent": self.sent,
            "suppressed": self.suppressed,
            "over": [[session_at, *counts] for session_at, counts in self._over.items()],
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what ``save`` gave."""
        self._session_at = saved["session_at"]
        self.sent = saved["sent"]
        self.suppressed = saved["suppressed"]
        self._over = {at: (sent, suppressed) for at, sent, suppressed in saved["over"]}

    def _start_anew(self, over: int | None, needed: Collection[int]) -> None:
        self._keep(over, needed)
        self.changed |= bool(self.sent or self.suppressed)
        # New ones even where they are empty: those before may be kept for their session.
        self.sent, self.suppressed = {}, {}

    def _keep(self, session_at: int | None, needed: Collection[int]) -> None:
        if session_at is not None and session_at in needed:
            self._over[session_at] = (self.sent, self.suppressed)
        self._over = {at: counts for at, counts in self._over.items() if at in needed}


def ends_session(close: Close) -> bool:
    """Whether the daily candle is among what is over."""
    return any(window.timeframe == "1d" for window in close.windows)
