"""Conditions on closed candles, as data: what a candle rule asks at each close."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from services.signals.domain.hours import SessionWindow, TimeWindow
from services.signals.domain.names import check_patterns, matches
from services.signals.domain.series import CandlePart, Correlated, Number, Read, Series, fit
from shared.events.base import Value
from shared.events.signal import Direction
from shared.market.timeframes import Timeframe

Factor = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Distance = Annotated[int, Field(strict=True, ge=0, le=1_000_000, description="instrument's ticks")]
# A level's or zone's key, where * stands for any run of characters: pivot.classic.*
KeyPattern = Annotated[str, Field(pattern=r"^[a-z0-9_.:*]{1,80}$")]
Candles = Annotated[int, Field(strict=True, ge=1, le=200, description="candles of the rule's own")]
_CLOSE = CandlePart(kind="candle", part="close")


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


class _Near(Value):
    """So many ticks, or so many times a distance such as ``atr:14``."""

    ticks: Distance | None = None
    times: Factor | None = None
    of: Series | None = None

    @model_validator(mode="after")
    def _check_distance(self) -> Self:
        by_series = self.times is not None and self.of is not None
        by_half = (self.times is None) != (self.of is None)
        if by_half or by_series == (self.ticks is not None):
            raise ValueError(
                f"{self._name()} needs either ticks, or times and of (times = 0.5, of = ...)"
            )
        if self.of is not None and not fit(self.of.unit, "distance"):
            raise ValueError(f"of must be a distance such as atr:14, not a {self.of.unit}")
        return self

    def _name(self) -> str:
        raise NotImplementedError


class Within(_Near, _Pair):
    """Left is at most so far from right."""

    kind: Literal["within"]

    def _name(self) -> str:
        return self.kind


class AtPrice(_Near):
    """What the candle did at a price: touched it, broke it, or swept it and closed back.

    ``touches``: its range came within the distance. ``breaks_above``: it closed the distance or
    more above, and the candle before had not. ``sweeps_above``: its high went the distance or more
    above, and it closed below. The other two are their mirrors.
    """

    kind: Literal["touches", "breaks_above", "breaks_below", "sweeps_above", "sweeps_below"]
    level: Series

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.level.unit not in ("price", "number"):
            raise ValueError(f"level must be a price, not a {self.level.unit}")
        return self

    def _name(self) -> str:
        return self.kind


class AtZone(Value):
    """Left is inside a zone, or enters or leaves it: was outside (inside) at the candle before."""

    kind: Literal["inside", "enters", "leaves"]
    zones: Annotated[tuple[KeyPattern, ...], Field(min_length=1)]
    statuses: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    timeframe: Timeframe | None = None
    left: Series = _CLOSE

    @field_validator("zones")
    @classmethod
    def _known(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        check_patterns(zones, "zone")
        return zones

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.left.unit != "price":
            raise ValueError(f"left must be a price, not a {self.left.unit}")
        return self

    def names(self, key: str, status: str) -> bool:
        """Whether a zone of this key and status is meant."""
        return matches(self.zones, key) and (self.statuses is None or status in self.statuses)


class Junction(Value):
    """All, or any, of these hold."""

    kind: Literal["all", "any"]
    conditions: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=20)]


class Negation(Value):
    """This does not hold."""

    kind: Literal["not"]
    condition: "Condition"


class Sequence(Value):
    """These held one after the other, the last of them now.

    From each to the next it is at least ``apart`` candles (0: the same one will do) and at most
    ``within``.
    """

    kind: Literal["sequence"]
    steps: Annotated[tuple["Condition", ...], Field(min_length=2, max_length=10)]
    within: Candles
    apart: Annotated[int, Field(strict=True, ge=0, le=200)] = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.apart > self.within:
            raise ValueError(
                f"apart {self.apart} is more than within {self.within}: no sequence could ever be "
                "found; make within larger"
            )
        return self


Condition = Annotated[
    Compare
    | Cross
    | Within
    | AtPrice
    | AtZone
    | TimeWindow
    | SessionWindow
    | Junction
    | Negation
    | Sequence,
    Field(discriminator="kind"),
]
Leaf = Compare | Cross | Within | AtPrice | AtZone | TimeWindow | SessionWindow


class AtClose(Value):
    """Decided whenever a candle of ``timeframe`` has closed; ``direction`` is what it speaks for.

    A series without a timeframe of its own is one of this timeframe.
    """

    kind: Literal["candle"]
    timeframe: Timeframe
    direction: Direction
    condition: Condition

    @model_validator(mode="after")
    def _check(self) -> Self:
        for frame, series in self.reads():
            if isinstance(series, Correlated) and frame != self.timeframe:
                raise ValueError(
                    f"{series.text} is on {frame}, but a correlation is one of the rule's own "
                    f"timeframe {self.timeframe}; leave out its @{frame}"
                )
        return self

    def reads(self) -> Iterator[tuple[Timeframe, Read]]:
        """Timeframe and series of everything the condition looks at."""
        for leaf in leaves(self.condition):
            for series in series_of(leaf):
                yield series.timeframe or self.timeframe, series

    def zone_timeframes(self) -> Iterator[Timeframe]:
        """The timeframes whose zones the condition looks at."""
        for leaf in leaves(self.condition):
            if isinstance(leaf, AtZone):
                yield leaf.timeframe or self.timeframe


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The parts that look at something, from left to right."""
    if isinstance(condition, Junction):
        for part in condition.conditions:
            yield from leaves(part)
    elif isinstance(condition, Sequence):
        for part in condition.steps:
            yield from leaves(part)
    elif isinstance(condition, Negation):
        yield from leaves(condition.condition)
    else:
        yield condition


def series_of(leaf: Leaf) -> Iterator[Read]:
    """What a part looks at, numbers and the candle itself left out."""
    for name in ("left", "right", "level", "of"):
        series = getattr(leaf, name, None)
        if series is not None and not isinstance(series, Number):
            yield series
