"""Conditions on closed candles, as data: comparisons, crosses, nearness, all, any, not."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.signals.domain.series import Number, Read, Series, fit
from shared.events.base import Value
from shared.events.signal import Direction
from shared.market.timeframes import Timeframe

Factor = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Distance = Annotated[int, Field(strict=True, ge=0, le=1_000_000, description="instrument's ticks")]


class _Pair(Value):
    """Two series whose units fit."""

    left: Series
    right: Series

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.left, Number) and isinstance(self.right, Number):
            raise ValueError("both sides are numbers: the answer never changes")
        if self.left == self.right:
            raise ValueError("left and right are the same series: the answer never changes")
        if not fit(self.left.unit, self.right.unit):
            raise ValueError(
                f"a {self.left.unit} cannot be compared with a {self.right.unit}; "
                "compare like with like, or with a number"
            )
        return self


class Compare(_Pair):
    """Left is above (below) right."""

    kind: Literal["above", "below"]


class Cross(_Pair):
    """Left is above (below) right and was not at the candle before."""

    kind: Literal["crosses_above", "crosses_below"]


class Within(_Pair):
    """Left is at most so many ticks, or so many times a distance such as ``atr:14``, from right."""

    kind: Literal["within"]
    ticks: Distance | None = None
    times: Factor | None = None
    of: Series | None = None

    @model_validator(mode="after")
    def _check_distance(self) -> Self:
        by_series = self.times is not None and self.of is not None
        by_half = (self.times is None) != (self.of is None)
        if by_half or by_series == (self.ticks is not None):
            raise ValueError("within needs either ticks, or times and of (times = 0.5, of = ...)")
        if self.of is not None and not fit(self.of.unit, "distance"):
            raise ValueError(f"of must be a distance such as atr:14, not a {self.of.unit}")
        return self


class Junction(Value):
    """All, or any, of these hold."""

    kind: Literal["all", "any"]
    conditions: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=20)]


class Negation(Value):
    """This does not hold."""

    kind: Literal["not"]
    condition: "Condition"


Condition = Annotated[Compare | Cross | Within | Junction | Negation, Field(discriminator="kind")]
Leaf = Compare | Cross | Within


class AtClose(Value):
    """Decided whenever a candle of ``timeframe`` has closed; ``direction`` is what it speaks for.

    A series without a timeframe of its own is one of this timeframe.
    """

    kind: Literal["candle"]
    timeframe: Timeframe
    direction: Direction
    condition: Condition

    def reads(self) -> Iterator[tuple[Timeframe, str]]:
        """Timeframe and key of everything the condition looks at."""
        for leaf in leaves(self.condition):
            for series in series_of(leaf):
                yield series.timeframe or self.timeframe, series.key


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The parts that compare something, from left to right."""
    if isinstance(condition, Junction):
        for part in condition.conditions:
            yield from leaves(part)
    elif isinstance(condition, Negation):
        yield from leaves(condition.condition)
    else:
        yield condition


def series_of(leaf: Leaf) -> Iterator[Read]:
    """What a part looks at, numbers left out."""
    of = leaf.of if isinstance(leaf, Within) else None
    for series in (leaf.left, leaf.right, of):
        if series is not None and not isinstance(series, Number):
            yield series
