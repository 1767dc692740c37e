"""Sessions in real time: which one an instant lies in, and the candle windows inside it.

A session is given in local time, so its opening moves against UTC when the clocks change. Windows
are laid out from the opening in elapsed time and the last of each timeframe ends with the session:
all are half-open, and each lies inside one window of every larger timeframe.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.events.base import MICROS_PER_MINUTE, micros, moment
from shared.market.instruments import Session
from shared.market.timeframes import LENGTH_US, Timeframe

_DAY = timedelta(days=1)
_DAY_US = LENGTH_US["1d"]
CLOSED = "closed"
# Longer than any run of holidays: a session that is further away never comes.
_SEARCH_DAYS = 40


class Span(NamedTuple):
    """One session: half-open ``[open_at, end)`` in µs UTC, and the trading day it belongs to.

    The trading day is the local date on which the session ends: Sunday evening's is Monday.
    """

    open_at: int
    end: int
    day: date


class SessionCalendar:
    """The sessions of one instrument. Remembers where the last question led, so that asking for
    instants in their order is cheap.

    Raises:
        ValueError: the zone is not known, or a time is no time of day.
    """

    def __init__(self, session: Session) -> None:
        try:
            self._zone = ZoneInfo(session.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{session.zone!r} is no time zone") from None
        self._days = frozenset(session.days)
        self._hours = (_time_of_day(session.start), _time_of_day(session.end))
        self._exceptions = {
            _date(day): None if hours == CLOSED else _hours(hours)
            for day, hours in session.exceptions.items()
        }
        self._span: Span | None = None
        self._pause = (0, 0)

    def at(self, instant: int) -> Span | None:
        """The session that an instant (µs UTC) lies in, or None if the market is closed."""
        span = self._span
        if span is not None and span.open_at <= instant < span.end:
            return span
        if self._pause[0] <= instant < self._pause[1]:
            return None
        return self._look(instant)

    def next(self, instant: int) -> Span | None:
        """The first session that ends after an instant; None if there is none in a month."""
        day = self._local_day(instant) - _DAY
        for ahead in range(_SEARCH_DAYS):
            span = self._starting(day + ahead * _DAY)
            if span is not None and span.end > instant:
                return span
        return None

    def previous(self, instant: int) -> Span | None:
        """The last session that ended at or before an instant; None if none did in a month."""
        day = self._local_day(instant) + _DAY
        for back in range(_SEARCH_DAYS):
            span = self._starting(day - back * _DAY)
            if span is not None and span.end <= instant:
                return span
        return None

    def between(self, since: int, until: int) -> Iterator[Span]:
        """The sessions that have a part in ``[since, until)``, in order."""
        span = self.next(since)
        while span is not None and span.open_at < until:
            yield span
            span = self.next(span.end)

    def _look(self, instant: int) -> Span | None:
        """Find the session anew, and remember it or the pause around the instant."""
        following = self.next(instant)
        if following is not None and following.open_at <= instant:
            self._span = following
            return following
        previous = self.previous(instant)
        self._pause = (
            instant if previous is None else previous.end,
            instant + 1 if following is None else following.open_at,
        )
        return None

    def _starting(self, day: date) -> Span | None:
        """The session that starts on a local date."""
        hours = self._hours if day.isoweekday() in self._days else None
        hours = self._exceptions.get(day, hours)
        if hours is None:
            return None
        start, end = hours
        last = day if end > start else day + _DAY
        open_at, until = self._micros(day, start), self._micros(last, end)
        trading_day = last if end > time(0) else last - _DAY
        return Span(open_at, until, trading_day)

    def _micros(self, day: date, at: time) -> int:
        return micros(datetime.combine(day, at, self._zone))

    def _local_day(self, instant: int) -> date:
        return moment(instant).astimezone(self._zone).date()


def window(timeframe: Timeframe, at: int, span: Span) -> tuple[int, int]:
    """The half-open window ``(open_at, end)`` of a timeframe that holds an instant of a session.

    A day's candle is the session itself, however long.
    """
    if timeframe == "1d":
        return span.open_at, span.end
    length = LENGTH_US[timeframe]
    open_at = at - (at - span.open_at) % length
    return open_at, min(open_at + length, span.end)


def minute(at: int) -> int:
    """The start of the minute that an instant lies in."""
    return at - at % MICROS_PER_MINUTE


def _time_of_day(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time of day, use 00:00 to 23:59") from None


def _hours(text: str) -> tuple[time, time]:
    start, _, end = text.partition("-")
    return _time_of_day(start), _time_of_day(end)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date") from None
