"""What somebody probably meant by a symbol that is unknown."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher


def nearest(wanted: str, known: Iterable[str]) -> str | None:
    """The known symbol that resembles the wanted one most, case and punctuation aside."""
    target = _folded(wanted)
    ranked = sorted(known, key=lambda symbol: (-_likeness(target, _folded(symbol)), symbol))
    return ranked[0] if ranked else None


def unknown_symbol(wanted: str, known: Sequence[str]) -> str:
    """The sentence that tells of it."""
    close = nearest(wanted, known)
    if close is None:
        return f"unknown symbol {wanted!r}; there are no candles of any symbol yet"
    return f"unknown symbol {wanted!r}; the nearest is {close}"


def _folded(symbol: str) -> str:
    return "".join(character for character in symbol.casefold() if character.isalnum())


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()
