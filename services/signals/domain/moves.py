"""One step of the price, and what a pattern answers to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from services.signals.domain.hours import SessionSpan
from shared.events.signal import Action, Direction
from shared.market.timeframes import Timeframe

# Prices and levels are binary fractions of decimal numbers: 1.08512 - 2 * 0.00001 is not quite
# 1.0851. A millionth of a tick is far above that error and far below anything that trades.
TOLERANCE_TICKS = 1e-6

# A pattern's state between two commits: JSON values.
Saved = list[Any]

# Sides of a level; ON also stands for "not seen yet".
ABOVE = 1
ON = 0
BELOW = -1


Ends = Mapping[Timeframe, int]
"""When the last candle of each timeframe ended."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Where a move stands in time: in which session, and after which candles."""

    session: SessionSpan | None = None
    ends: Ends = field(default_factory=dict)


UNTIMED = Timing()


@dataclass(frozen=True, slots=True)
class Move:
    """The price went from ``before`` to ``price``.

    ``count`` numbers the symbol's prices, ``cut`` says that the session changed or that prices
    were lost in between, ``smooth`` that the price is known to have passed everything in between.
    Of a move from close to close ``opened`` is the price that the candle opened at.
    """

    before: float
    price: float
    at: int
    count: int
    cut: bool
    smooth: bool = False
    opened: float | None = None
    timing: Timing = UNTIMED

    @property
    def moment(self) -> int:
        """The time that it counts by: a candle's close belongs to the candle's last moment."""
        return self.at if self.opened is None else self.at - 1


@dataclass(frozen=True, slots=True)
class Spot:
    """A level as a pattern sees it: its price, and the instrument's tick."""

    price: float
    tick: float

    def at(self, ticks: float) -> float:
        """The price so many ticks above the level (below, where negative)."""
        return self.price + ticks * self.tick

    def reached(self, side: int, ticks: float) -> float:
        """The bound from which on a price counts as that many ticks to that side."""
        return self.at(side * (ticks - TOLERANCE_TICKS))

    def side(self, price: float) -> int:
        """On which side of the level a price is."""
        slack = TOLERANCE_TICKS * self.tick
        return (price > self.price + slack) - (price < self.price - slack)

    def ticks(self, price: float) -> float:
        """A price's distance from the level in ticks, positive above it."""
        return (price - self.price) / self.tick


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern was recognised; ``side`` is where the price came from."""

    action: Action
    direction: Direction
    side: int
    gap: bool
    operands: dict[str, float]


@dataclass(frozen=True, slots=True)
class Quiet:
    """The open range of prices, and the last time and count, in which a pattern cannot change.

    The promise that makes the hot path short: while ``low < price < high`` and neither ``until``
    nor ``until_count`` has passed, taking a move changes nothing and answers nothing.
    """

    low: float = -inf
    high: float = inf
    until: float = inf
    until_count: float = inf

    def within(self, low: float, high: float) -> "Quiet":
        """The part of this range that lies in ``(low, high)`` too."""
        return Quiet(max(self.low, low), min(self.high, high), self.until, self.until_count)


NEVER_QUIET = Quiet(low=inf, high=-inf)


def jumped(spot: Spot, move: Move, gap_ticks: int) -> bool:
    """Whether the level was jumped over: the move started before it and ended behind it, and was
    larger than ``gap_ticks`` or cut by a change of session or a loss of prices. Of a candle it is
    the way from the close before to its open that counts."""
    if move.smooth:
        return False
    landed = move.price if move.opened is None else move.opened
    before, after = spot.side(move.before), spot.side(landed)
    if after == ON or before == after:
        return False
    size = abs(landed - move.before) / spot.tick
    return move.cut or size > gap_ticks + TOLERANCE_TICKS


def along(side: int) -> Direction:
    """The direction of who goes with a price that comes from this side."""
    return "long" if side == BELOW else "short"


def against(side: int) -> Direction:
    """The direction of who expects a price that came from this side to turn back."""
    return "short" if side == BELOW else "long"
