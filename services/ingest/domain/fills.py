"""Which candles a live symbol needs before its next price: seeds of a new one, fills of a gap."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.ingest.domain.sessions import SessionCalendar, Span, window
from shared.market.timeframes import LENGTH_US, Timeframe

# Sessions of hours and of quarter hours, and the stretch of minutes before the newest price: enough
# for day and four-hour indicators to have begun, in three requests a symbol.
_COARSE_SESSIONS = 30
_MIDDLE_SESSIONS = 5
_FINE_US = 3 * LENGTH_US["1h"]
# A gap up to so long is filled minute by minute.
_MINUTES_BACK_US = 7 * LENGTH_US["1d"]


class Piece(NamedTuple):
    """Candles to ask for: those that open in ``[since, until)``."""

    timeframe: Timeframe
    since: int
    until: int
    origin: Literal["seed", "backfill"]


class Fill(NamedTuple):
    """What closes a gap: pieces in order, and up to when nothing can close it (None: all is)."""

    pieces: tuple[Piece, ...]
    lost_until: int | None = None


def seeds(calendar: SessionCalendar, now: int) -> tuple[Piece, ...]:
    """The past of a symbol that is new: hours, then quarter hours, then minutes up to now.

    Each piece begins on a window's edge of all timeframes that are finer than it.
    """
    return _past(calendar, now, 0, "seed")


def fill(calendar: SessionCalendar, known: int, now: int) -> Fill:
    """What was missed since ``known``; of a very long absence the older part is coarse."""
    begun = known - known % LENGTH_US["1m"]
    if now <= begun:
        return Fill(())
    if now - known <= _MINUTES_BACK_US:
        return Fill((Piece("1m", begun, now, "backfill"),))
    following = calendar.at(known)
    since = known if following is None else following.end
    pieces = _past(calendar, now, since, "backfill")
    return Fill(pieces, pieces[0].since if pieces else now)


def _past(
    calendar: SessionCalendar, now: int, since: int, origin: Literal["seed", "backfill"]
) -> tuple[Piece, ...]:
    spans = [span for span in _sessions(calendar, now) if span.open_at >= since]
    if not spans:
        return ()
    newest = spans[0]
    end = min(now, newest.end)
    fine = max(newest.open_at, end - _FINE_US)
    fine = fine if fine >= newest.end else window("15m", fine, newest)[0]
    middle = spans[min(_MIDDLE_SESSIONS, len(spans)) - 1].open_at
    pieces = (
        Piece("1h", spans[-1].open_at, middle, origin),
        Piece("15m", middle, fine, origin),
        Piece("1m", fine, end, origin),
    )
    return tuple(piece for piece in pieces if piece.since < piece.until)


def _sessions(calendar: SessionCalendar, now: int) -> Sequence[Span]:
    """The running session and those before it, the newest first."""
    running = calendar.at(now)
    found = [] if running is None else [running]
    before = now if running is None else running.open_at
    while len(found) < _COARSE_SESSIONS and (span := calendar.previous(before)) is not None:
        found.append(span)
        before = span.open_at
    return found
