"""Holidays and half-days of the exchanges, as exceptions to an instrument's usual session.

The package that knows them takes seconds to import, so it is asked only where real markets are
followed.
"""

import warnings
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.sessions import CLOSED
from services.ingest.settings import IngestSection
from shared.events.base import moment
from shared.market.instruments import Instrument, Session
from shared.service.settings import SettingsError

_DAY = timedelta(days=1)
# Whose session is now: the others play markets that are simulated or over.
_REAL = ("live", "push")


def observed(table: InstrumentTable, section: IngestSection, now: int) -> InstrumentTable:
    """The table with the holidays of last year, this and the next (``now`` in µs UTC).

    What the user's instrument file says of a day stands.

    Raises:
        SettingsError: an instrument names a calendar that nobody knows.
    """
    if section.feed not in _REAL or not section.holidays:
        return table
    year = moment(now).year
    years = date(year - 1, 1, 1), date(year + 1, 12, 31)
    return InstrumentTable(_observed(one, *years) for one in table.instruments)


def exceptions(calendar: str, session: Session, first: date, last: date) -> dict[str, str]:
    """The days from first to last on which a session does not start, or ends early.

    By the local date of its start, as a session has them. Late opens are not known of any of our
    exchanges.

    Raises:
        SettingsError: nobody knows the calendar.
    """
    closes = _closes(calendar, first, last + _DAY)
    zone, end = ZoneInfo(session.zone), time.fromisoformat(session.end)
    overnight = session.end <= session.start
    found = {}
    for day in _days(first, last):
        if day.isoweekday() not in session.days:
            continue
        trading_day = day + _DAY if overnight else day
        if trading_day not in closes:
            found[day.isoformat()] = CLOSED
            continue
        closes_at = moment(closes[trading_day]).astimezone(zone)
        if closes_at.date() == trading_day and closes_at.time() < end:
            found[day.isoformat()] = f"{session.start}-{closes_at:%H:%M}"
    return found


def _observed(instrument: Instrument, first: date, last: date) -> Instrument:
    if not instrument.calendar:
        return instrument
    session = instrument.session
    try:
        found = exceptions(instrument.calendar, session, first, last)
    except SettingsError as error:
        raise SettingsError(f"instrument {instrument.symbol}: {error}") from None
    known = {"exceptions": {**found, **session.exceptions}}
    return instrument.model_copy(update={"session": session.model_copy(update=known)})


@cache
def _closes(calendar: str, first: date, last: date) -> Mapping[date, int]:
    """When each trading day ends (µs UTC)."""
    import pandas_market_calendars

    try:
        chosen = pandas_market_calendars.get_calendar(calendar)
    except RuntimeError:
        raise SettingsError(
            f"nobody knows the calendar {calendar!r}; use a name of pandas_market_calendars such "
            "as NYSE, XETR, CME_Equity or NSE, or none"
        ) from None
    with warnings.catch_warnings():
        # What the package calls that pandas will drop is for the package to mend.
        warnings.simplefilter("ignore")
        schedule = chosen.schedule(first.isoformat(), last.isoformat())
    return {day.date(): int(close.value // 1000) for day, close in schedule["market_close"].items()}


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += _DAY
