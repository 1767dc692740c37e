"""Is a symbol's data alive? "Data died" is not "market closed".

Pure: the session calendar, the market's time and the newest price's go in; what is told comes out.
All times are µs UTC. What counts as long without a price is learnt from the symbol itself, as TCP
learns how long to wait for an answer (Jacobson, Congestion Avoidance and Control, 1988): a smoothed
interval with gain 1/8, a smoothed deviation with gain 1/4, and a limit of interval + 4 deviations.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from services.ingest.domain.sessions import SessionCalendar, Span
from shared.events.base import MICROS_PER_SECOND

Status = Literal["fresh", "late", "stale", "closed"]
"""Prices come as they should; one is overdue; they have stopped; no session runs."""

TurnKind = Literal["first_entry", "last_entry", "data_stale", "data_fresh"]

# Nobody is told that a price is overdue before so long, however quick the symbol is.
_LATE_MIN_US = 10 * MICROS_PER_SECOND
# Three times overdue is no hiccup.
_STALE_FACTOR = 3
# Later than this whenever it comes, a source is late by contract, not by chance.
_DELAYED_US, _DELAYED_MAX_US = 90 * MICROS_PER_SECOND, 1_800 * MICROS_PER_SECOND
_LAGS = 10
# However slow a symbol is, an hour without a price in its session is worth a look.
_STALE_MAX_US = 3_600 * MICROS_PER_SECOND


class Cadence(NamedTuple):
    """How far apart a symbol's prices are, and by how much that varies (µs)."""

    interval: float
    deviation: float

    def after(self, interval: float) -> "Cadence":
        """Once the next price has come so much later than the one before."""
        off = interval - self.interval
        return Cadence(self.interval + off / 8, self.deviation + (abs(off) - self.deviation) / 4)


# Before anything is known: a price every twenty seconds, so that the first wait is a minute.
UNKNOWN = Cadence(20.0 * MICROS_PER_SECOND, 10.0 * MICROS_PER_SECOND)


class Limits(NamedTuple):
    """From which age on (µs) a price is late, and from which on stale."""

    late: int
    stale: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What operators decide: the least age (µs) at which data count as stale."""

    stale_min: int = 60 * MICROS_PER_SECOND

    def limits(self, cadence: Cadence) -> Limits:
        """What follows from a symbol's cadence."""
        late = max(_LATE_MIN_US, round(cadence.interval + 4 * cadence.deviation))
        stale = min(max(self.stale_min, _STALE_FACTOR * late), max(_STALE_MAX_US, self.stale_min))
        return Limits(min(late, stale), stale)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of one symbol.

    ``price_at`` is its newest price's time, ``awaited_since`` since when one is waited for at all,
    ``session_at`` the opening of the session in which the newest price came, None once that
    session's end was told, ``begun_at`` that of the last session whose first price was told.
    ``lags`` are how old the last prices were when they came.
    """

    awaited_since: int
    status: Status = "closed"
    price_at: int | None = None
    session_at: int | None = None
    begun_at: int | None = None
    cadence: Cadence = UNKNOWN
    lags: tuple[int, ...] = ()

    @property
    def delay(self) -> int:
        """How late the source is, as seen: the least of the last lags, if that is no chance."""
        least = min(self.lags, default=0)
        return least if least >= _DELAYED_US else 0


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen of a symbol at ``now``: its newest price's time, and how late its source says
    that it is; 0 where it says nothing."""

    now: int
    price_at: int | None
    delay: int = 0


class Turn(NamedTuple):
    """Something to tell: what, and the time of the price that it is about."""

    kind: TurnKind
    price_at: int | None


def beat(
    pulse: Pulse, look: Look, calendar: SessionCalendar, rule: Rule
) -> tuple[Pulse, list[Turn]]:
    """The pulse after a look, and what has turned. ``now`` never goes backwards.

    A source that is late, as it says or as it was seen to be before, is judged by the market as it
    was so long ago. Outside the session the status is ``closed`` whatever comes or does not.
    """
    seen_at = look.now - max(look.delay, pulse.delay)
    turns: list[Turn] = []
    session = calendar.at(seen_at)
    came = look.price_at is not None and (pulse.price_at is None or look.price_at > pulse.price_at)
    pulse = _left(pulse, session, turns)
    if came:
        pulse = _price(pulse, look, calendar, rule)
        if session is not None and _begins(pulse, session):
            pulse = replace(pulse, session_at=session.open_at, begun_at=session.open_at)
            turns.append(Turn("first_entry", look.price_at))
    status = _status(pulse, seen_at, session, (rule, came))
    if status == "stale" and pulse.status != "stale":
        turns.append(Turn("data_stale", pulse.price_at))
    if pulse.status == "stale" and status in ("fresh", "late"):
        turns.append(Turn("data_fresh", pulse.price_at))
    return replace(pulse, status=status), turns


def _left(pulse: Pulse, session: Span | None, turns: list[Turn]) -> Pulse:
    """Tell the end of a session that had prices and is over."""
    over = session is None or session.open_at != pulse.session_at
    if pulse.session_at is None or not over:
        return pulse
    turns.append(Turn("last_entry", pulse.price_at))
    return replace(pulse, session_at=None)


def _price(pulse: Pulse, look: Look, calendar: SessionCalendar, rule: Rule) -> Pulse:
    """A newer price has come; its distance counts if both stand in one session."""
    assert look.price_at is not None, "asked only where one came"
    before, cadence, lags = pulse.price_at, pulse.cadence, pulse.lags
    lag = max(0, look.now - look.price_at)
    # The first price that is seen may have stood there for long; a fill is no source's delay.
    if before is not None and lag <= _DELAYED_MAX_US:
        lags = (*lags, lag)[-_LAGS:]
    span = calendar.at(look.price_at)
    if before is not None and span is not None and span.open_at <= before:
        # An outage is no cadence: it counts as the longest wait that was still in order.
        cadence = cadence.after(min(look.price_at - before, rule.limits(cadence).stale))
    return replace(pulse, price_at=look.price_at, cadence=cadence, lags=lags)


def _status(pulse: Pulse, seen_at: int, session: Span | None, judged: tuple[Rule, bool]) -> Status:
    rule, came = judged
    if session is None:
        return "closed"
    limits = rule.limits(pulse.cadence)
    waited = seen_at - _awaited(pulse, session)
    if pulse.status == "stale" and not came:
        # What was given up stays so until a price comes or the market closes.
        return "stale"
    if waited >= limits.stale:
        return "stale"
    return "late" if waited >= limits.late else "fresh"


def _awaited(pulse: Pulse, session: Span) -> int:
    """Since when the next price is waited for."""
    since = max(session.open_at, pulse.awaited_since)
    return since if pulse.price_at is None else max(since, pulse.price_at)


def _begins(pulse: Pulse, session: Span) -> bool:
    """Whether the newest price is the first of a session of which nothing was told yet."""
    known = session.open_at in (pulse.session_at, pulse.begun_at)
    at = pulse.price_at
    return not known and at is not None and session.open_at <= at < session.end
