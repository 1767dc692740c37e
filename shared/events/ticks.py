"""A run of ticks as columns, for those who need a few of their fields and no models."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from shared.events.columns import Columns
from shared.events.spine import Tick

_NAMES = tuple(Tick.model_fields)


class Ticks:
    """Ticks one after the other: a column a field, in the order of the ticks.

    What is built from it on demand are whole models, as ``decode`` gives them.
    """

    __slots__ = ("at", "columns", "n", "pos", "price", "size", "source", "symbol")

    symbol: Sequence[str]
    at: Sequence[int]
    pos: Sequence[int]
    price: Sequence[float]
    size: Sequence[float]
    source: Sequence[str]
    n: Sequence[int]

    def __init__(self, columns: Sequence[Sequence[Any]]) -> None:
        self.columns = columns
        for name, column in zip(_NAMES, columns, strict=True):
            setattr(self, name, column)

    @classmethod
    def read(cls, rows: Sequence[Sequence[str]]) -> "Ticks | None":
        """Of entries' fields; None where each row must be looked at by itself."""
        columns = _reader().columns(rows)
        return None if columns is None else cls(columns)

    @classmethod
    def of(cls, ticks: Iterable[Tick]) -> "Ticks":
        """Of models."""
        rows = list(map(attrgetter(*_NAMES), ticks))
        return cls(list(zip(*rows, strict=True)) if rows else [()] * len(_NAMES))

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, place: int) -> Tick:
        return _reader().one([column[place] for column in self.columns])

    def __iter__(self) -> Iterator[Tick]:
        return iter(self.models())

    def cut(self, first: int, last: int) -> "Ticks":
        """Those from ``first`` up to, but without, ``last``."""
        if first == 0 and last == len(self):
            return self
        return Ticks([column[first:last] for column in self.columns])

    def models(self) -> list[Tick]:
        """All of them as events."""
        return _reader().built(self.columns)


@cache
def _reader() -> Columns[Tick]:
    return Columns(Tick)
