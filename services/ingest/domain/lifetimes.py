"""Until when an instrument trades: contracts end, everything else goes on."""

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from services.ingest.domain.contracts import contract
from services.ingest.domain.expiry import IsOpen
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.roots import expiry
from services.ingest.domain.sessions import CLOSED
from shared.events.base import moment
from shared.market.instruments import Instrument, Session

_ANY_DAY = date(2000, 1, 1)
_DAY = timedelta(days=1)


def trading_days(session: Session) -> IsOpen:
    """Whether a session ends on a date: that date is its trading day."""
    overnight = session.end <= session.start

    def is_open(day: date) -> bool:
        start = day - _DAY if overnight else day
        hours = session.exceptions.get(start.isoformat())
        return start.isoweekday() in session.days if hours is None else hours != CLOSED

    return is_open


def last_day(instrument: Instrument) -> date | None:
    """The last day on which it trades; None if there is no end to it."""
    written = contract(instrument.symbol, _ANY_DAY)
    if written is None or written.symbol != instrument.symbol:
        return None
    return expiry(written, trading_days(instrument.session))


def unwatchable(table: InstrumentTable, now: Callable[[], int]) -> Callable[[str], str | None]:
    """Why a symbol cannot be watched now (µs UTC), or None: it is unknown, or has ended."""

    def problem(symbol: str) -> str | None:
        instrument = table.find(symbol)
        if instrument is None:
            return table.complaint(symbol)
        day = last_day(instrument)
        zone = ZoneInfo(instrument.session.zone)
        if day is not None and day < moment(now()).astimezone(zone).date():
            return f"it ended on {day.isoformat()}"
        return None

    return problem
