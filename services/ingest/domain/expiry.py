"""The last day on which a contract trades, by its exchange's rule.

Holidays are what the caller says: ``is_open`` tells whether an exchange trades on a date.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Literal

IsOpen = Callable[[date], bool]
Rule = Literal[
    "third_friday",
    "third_last_business_day",
    "crude",
    "before_third_wednesday",
    "nse",
]

_DAY = timedelta(days=1)
_TUESDAY, _WEDNESDAY, _THURSDAY, _FRIDAY = 1, 2, 3, 4
# NSE circular of 2025-06-23: contracts that expire from 2025-09-01 on do so on Tuesdays, no longer
# on Thursdays, weekly and monthly ones alike.
_NSE_TUESDAYS = date(2025, 9, 1)


def weekdays(day: date) -> bool:
    """An exchange without holidays."""
    return day.weekday() < 5


def last_day(rule: Rule, year: int, month: int, is_open: IsOpen = weekdays) -> date:
    """The last trading day of a month's contract."""
    return _RULES[rule](year, month, is_open)


def _third_friday(year: int, month: int, is_open: IsOpen) -> date:
    """Equity index futures of CME, CBOT and Eurex: the third Friday, or the trading day before it.

    So say CME's contract specifications (rulebook chapter 358 and its like), and Eurex' own.
    """
    return _on_or_before(_nth(year, month, _FRIDAY, 3), is_open)


def _third_last_business_day(year: int, month: int, is_open: IsOpen) -> date:
    """Gold and silver of COMEX: the third last business day of the month (chapter 113)."""
    days = _back(_last_of(year, month), is_open)
    return [next(days) for _ in range(3)][-1]


def _crude(year: int, month: int, is_open: IsOpen) -> date:
    """WTI crude of NYMEX (chapter 200): three business days before the 25th of the month before.

    Where the 25th is no business day, three before the business day that precedes it.
    """
    before = date(year, month, 1) - _DAY
    days = _back(before.replace(day=25), is_open)
    return [next(days) for _ in range(4)][-1]


def _before_third_wednesday(year: int, month: int, is_open: IsOpen) -> date:
    """Euro FX of CME (chapter 261): the second business day before the third Wednesday."""
    days = _back(_nth(year, month, _WEDNESDAY, 3) - _DAY, is_open)
    return [next(days) for _ in range(2)][-1]


def _nse(year: int, month: int, is_open: IsOpen) -> date:
    """Index and stock derivatives of NSE: the last Tuesday; the last Thursday until August 2025.

    On a holiday, the trading day before it.
    """
    weekday = _TUESDAY if date(year, month, 1) >= _NSE_TUESDAYS else _THURSDAY
    end = _last_of(year, month)
    return _on_or_before(end - _DAY * ((end.weekday() - weekday) % 7), is_open)


_RULES: dict[Rule, Callable[[int, int, IsOpen], date]] = {
    "third_friday": _third_friday,
    "third_last_business_day": _third_last_business_day,
    "crude": _crude,
    "before_third_wednesday": _before_third_wednesday,
    "nse": _nse,
}


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + _DAY * ((weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_of(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - _DAY


def _back(day: date, is_open: IsOpen) -> Iterator[date]:
    """Trading days from this one backwards."""
    while True:
        if is_open(day):
            yield day
        day -= _DAY


def _on_or_before(day: date, is_open: IsOpen) -> date:
    return next(_back(day, is_open))
