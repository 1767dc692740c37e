"""The daily cap: how many signals of a rule set a symbol has had in its session."""

from typing import Any

from shared.events import Close


class Quota:
    """Counts signals, told and suppressed, by rule set; a new session starts at zero.

    The session is over with the close of its daily candle, or at the latest with a close that
    names another session. No clock is involved.
    """

    __slots__ = ("_session_at", "changed", "sent", "suppressed")

    def __init__(self) -> None:
        self._session_at: int | None = None
        self.sent: dict[str, int] = {}
        self.suppressed: dict[str, int] = {}
        self.changed = False

    def grant(self, config: str, signals_max: int) -> bool:
        """Whether one more signal of this set may go out; counted either way."""
        granted = self.sent.get(config, 0) < signals_max
        counts = self.sent if granted else self.suppressed
        counts[config] = counts.get(config, 0) + 1
        self.changed = True
        return granted

    def close(self, close: Close) -> bool:
        """Follow a close; whether anything is different after it."""
        over = ends_session(close)
        starts_anew = over or self._session_at not in (None, close.session_at)
        if starts_anew and self.sent:
            self.changed = True
            self.sent, self.suppressed = {}, {}
        session_at, self._session_at = self._session_at, None if over else close.session_at
        return starts_anew or session_at != self._session_at

    def save(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {"session_at": self._session_at, "sent": self.sent, "suppressed": self.suppressed}

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what ``save`` gave."""
        self._session_at = saved["session_at"]
        self.sent = saved["sent"]
        self.suppressed = saved["suppressed"]


def ends_session(close: Close) -> bool:
    """Whether the daily candle is among what is over."""
    return any(window.timeframe == "1d" for window in close.windows)
