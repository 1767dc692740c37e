"""What people keep: named lists of symbols, each entry switched on or off."""

from dataclasses import dataclass
from typing import Final

LISTS_MAX: Final = 100
ENTRIES_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """A symbol on a list; an inactive one is kept and not watched. Times are µs UTC."""

    symbol: str
    is_active: bool
    added_at: int


@dataclass(frozen=True, slots=True)
class Watchlist:
    """One user's list, entries in the order in which they were added."""

    name: str
    made_at: int
    entries: tuple[Entry, ...]


class NoSuchList(Exception):
    """The user has no list of that name."""


class NoSuchEntry(Exception):
    """The list has no entry of that symbol."""


class ListExists(Exception):
    """The user has a list of that name already."""


class TooMany(Exception):
    """A user has as many lists, or a list as many entries, as may be."""
