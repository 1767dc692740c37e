"""The quiet ranges of many patterns side by side: which of them a price leaves."""

from collections.abc import Iterable
from math import inf

from services.signals.domain.moves import Move, Quiet


class Bounds:
    """A range a pattern, in columns: most prices leave few of them."""

    __slots__ = ("_counts", "_highs", "_lows", "_untils")

    def __init__(self, ranges: Iterable[Quiet]) -> None:
        self._lows: list[float] = []
        self._highs: list[float] = []
        self._untils: list[float] = []
        self._counts: list[float] = []
        for quiet in ranges:
            self._lows.append(quiet.low)
            self._highs.append(quiet.high)
            self._untils.append(quiet.until)
            self._counts.append(quiet.until_count)

    def left_by(self, move: Move) -> list[int]:
        """The places of the patterns that a move may change, in order."""
        price, at, number = move.price, move.at, move.count
        rows = zip(self._lows, self._highs, self._untils, self._counts, strict=True)
        return [
            place
            for place, (low, high, until, count) in enumerate(rows)
            if not (low < price < high and at <= until and number <= count)
        ]

    def put(self, place: int, quiet: Quiet) -> None:
        """A pattern's new range."""
        self._lows[place], self._highs[place] = quiet.low, quiet.high
        self._untils[place], self._counts[place] = quiet.until, quiet.until_count

    def common(self) -> tuple[float, float, float, float]:
        """``low``, ``high``, ``until`` and ``until_count`` of where none of them can change."""
        return (
            max(self._lows, default=-inf),
            min(self._highs, default=inf),
            min(self._untils, default=inf),
            min(self._counts, default=inf),
        )
