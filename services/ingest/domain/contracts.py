"""Names of futures and options, read and written.

Futures as exchanges and vendors in Chicago, New York and Eschborn write them: root, month letter,
year (``MESZ6``, ``MESZ26``, ``MESZ2026``); the year of our own symbols has four digits, because
one digit means another year every ten.

National Stock Exchange of India: ``NIFTY25NOVFUT``; monthly options ``BANKNIFTY25NOV52000CE``;
weekly options with the month as 1 to 9, O, N, D and two digits for the day: ``NIFTY25N1826000CE``,
``NIFTY2511823200CE``. Two digits of the year, so these are our own symbols as they are.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

Right = Literal["CE", "PE"]

_LETTERS: Final = "FGHJKMNQUVXZ"
_MONTHS: Final = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_WEEKLY: Final = "123456789OND"
# A one-digit year is one of ten: two that are over, this one, and seven to come.
_YEARS_BACK = 2
_CENTURY = 2000

_FUTURE = re.compile(rf"([A-Z0-9]{{1,5}})([{_LETTERS}])(\d{{4}}|\d{{1,2}})")
_NSE_FUTURE = re.compile(rf"([A-Z][A-Z0-9&-]*)(\d\d)({'|'.join(_MONTHS)})FUT")
_STRIKE = r"([1-9]\d{0,6}(?:\.\d{0,3}[1-9])?)(CE|PE)"
_NSE_MONTHLY = re.compile(rf"([A-Z][A-Z0-9&-]*)(\d\d)({'|'.join(_MONTHS)}){_STRIKE}")
# The first digit is the year's: what has weekly options has no digit in its name.
_NSE_WEEKLY = re.compile(rf"([A-Z][A-Z&-]*)(\d\d)([{_WEEKLY}])(\d\d){_STRIKE}")


@dataclass(frozen=True, slots=True)
class Future:
    """A future by month: ``MESZ2026``."""

    root: str
    year: int
    month: int

    @property
    def symbol(self) -> str:
        """Our own symbol."""
        return f"{self.root}{self.letter}{self.year}"

    @property
    def letter(self) -> str:
        """The month as a letter."""
        return _LETTERS[self.month - 1]


@dataclass(frozen=True, slots=True)
class IndianFuture:
    """A future of NSE: ``NIFTY25NOVFUT``."""

    root: str
    year: int
    month: int

    @property
    def symbol(self) -> str:
        """Our own symbol, and NSE's."""
        return f"{self.root}{self.year % 100:02}{_MONTHS[self.month - 1]}FUT"


@dataclass(frozen=True, slots=True)
class IndianOption:
    """An option of NSE; a weekly one says its ``day``: ``NIFTY25N1826000CE``."""

    root: str
    year: int
    month: int
    day: int | None
    strike: Decimal
    right: Right

    @property
    def symbol(self) -> str:
        """Our own symbol, and NSE's."""
        if self.day is None:
            when = f"{self.year % 100:02}{_MONTHS[self.month - 1]}"
        else:
            when = f"{self.year % 100:02}{_WEEKLY[self.month - 1]}{self.day:02}"
        return f"{self.root}{when}{self.strike:f}{self.right}"


Contract = Future | IndianFuture | IndianOption


def contract(text: str, today: date) -> Contract | None:
    """The contract that a text names, or None if it is written like none.

    ``today`` tells which of the years that end with one digit is meant: from two years ago to
    seven ahead.
    """
    return _indian(text) or _future(text, today)


def _future(text: str, today: date) -> Future | None:
    found = _FUTURE.fullmatch(text)
    if found is None:
        return None
    root, letter, year = found.groups()
    return Future(root, _year(year, today), _LETTERS.index(letter) + 1)


def _year(digits: str, today: date) -> int:
    if len(digits) == 4:
        return int(digits)
    if len(digits) == 2:
        return _CENTURY + int(digits)
    first = today.year - _YEARS_BACK
    return first + (int(digits) - first) % 10


def _indian(text: str) -> IndianFuture | IndianOption | None:
    if found := _NSE_FUTURE.fullmatch(text):
        root, year, month = found.groups()
        return IndianFuture(root, _CENTURY + int(year), _MONTHS.index(month) + 1)
    if found := _NSE_MONTHLY.fullmatch(text):
        root, year, month, strike, right = found.groups()
        number = _MONTHS.index(month) + 1
        return IndianOption(
            root, _CENTURY + int(year), number, None, Decimal(strike), _right(right)
        )
    if found := _NSE_WEEKLY.fullmatch(text):
        root, year, month, day, strike, right = found.groups()
        number = _WEEKLY.index(month) + 1
        if not _is_date(_CENTURY + int(year), number, int(day)):
            return None
        return IndianOption(
            root, _CENTURY + int(year), number, int(day), Decimal(strike), _right(right)
        )
    return None


def _right(text: str) -> Right:
    return "CE" if text == "CE" else "PE"


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
