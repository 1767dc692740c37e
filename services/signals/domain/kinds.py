"""The patterns that a rule can look for, as data. docs/rules.md defines the words."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from services.signals.domain.conditions import AtClose, KeyPattern
from services.signals.domain.names import as_told, check_patterns, matches
from shared.events.base import Value
from shared.market.timeframes import Timeframe

DAY_S = 86_400

# Ids are made of these names, so they hold no dot, colon or @.
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
# Strict, so that "2", 2.0 and true are refused and not bent into a number.
Ticks = Annotated[int, Field(strict=True, ge=0, le=1_000_000, description="instrument's ticks")]
SomeTicks = Annotated[int, Field(strict=True, ge=1, le=1_000_000, description="instrument's ticks")]
Seconds = Annotated[int, Field(strict=True, ge=0, le=30 * DAY_S)]
SomeSeconds = Annotated[int, Field(strict=True, ge=1, le=30 * DAY_S)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
# A distance in average true ranges: it counts where it is more than the one in ticks beside it.
Ranges = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False, description="times rule.atr")]
Pace = Literal["tick", "1m", "5m", "15m", "1h", "4h", "1d"]


class _Pattern(Value):
    """What every pattern has: whose levels or zones, decided on what, and what a gap is.

    ``timeframe`` is the one whose levels are meant. ``on`` is the pace of the decision: every
    price, or the closes of candles of a timeframe.
    """

    timeframe: Timeframe
    on: Pace = "tick"
    gap_ticks: SomeTicks = 50
    gap_atr: Ranges | None = None


class AtLevels(_Pattern):
    """A pattern at levels, with their keys."""

    levels: Annotated[tuple[KeyPattern, ...], Field(min_length=1)]

    @field_validator("levels")
    @classmethod
    def _known(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        check_patterns(levels, "level")
        return tuple(map(as_told, levels))

    def names(self, key: str) -> bool:
        """Whether a level of this key is meant."""
        return matches(self.levels, key)


class Touch(AtLevels):
    """The price comes within so many ticks of a level, from a side."""

    kind: Literal["touch"]
    within_ticks: Ticks = 2
    within_atr: Ranges | None = None


class Break(AtLevels):
    """The price goes through a level, by so many ticks."""

    kind: Literal["break"]
    through_ticks: SomeTicks = 1
    through_atr: Ranges | None = None


class Sweep(AtLevels):
    """The price goes through a level and comes back within the window.

    The window ends after ``window_s`` seconds of event time or ``window_prices`` further ticks
    (candles, on closes), whichever is first. Deeper than ``depth_ticks_max`` is a break and no
    sweep.
    """

    kind: Literal["sweep"]
    through_ticks: SomeTicks = 1
    through_atr: Ranges | None = None
    back_ticks: Ticks = 0
    back_atr: Ranges | None = None
    window_s: SomeSeconds | None = None
    window_prices: Count | None = None
    depth_ticks_max: SomeTicks | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.window_s is None and self.window_prices is None:
            raise ValueError("a sweep needs window_s, window_prices or both")
        if self.depth_ticks_max is not None and self.depth_ticks_max < self.through_ticks:
            raise ValueError(
                f"depth_ticks_max {self.depth_ticks_max} is less than through_ticks "
                f"{self.through_ticks}: no sweep could ever be found; make it larger"
            )
        if self.depth_ticks_max is not None and self.through_atr is not None:
            raise ValueError("depth_ticks_max does not go with through_atr; leave one of them out")
        return self


class AtZones(_Pattern):
    """A pattern at zones, with their keys.

    ``statuses`` are those of the zone's life in which it counts: ``open`` until a candle has come
    back to it.
    """

    zones: Annotated[tuple[KeyPattern, ...], Field(min_length=1)]
    statuses: Annotated[tuple[Identifier, ...], Field(min_length=1)] = ("open",)

    @field_validator("zones")
    @classmethod
    def _known(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        check_patterns(zones, "zone")
        return zones

    def names(self, key: str, status: str) -> bool:
        """Whether a zone of this key and status is meant."""
        return status in self.statuses and matches(self.zones, key)


class Retest(AtZones):
    """The price comes back to a zone, ``depth`` of the way from its near edge to its far one."""

    kind: Literal["retest"]
    depth: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0


class Enter(AtZones):
    """The price is inside a zone, from whichever side, and was not before."""

    kind: Literal["enter"]


class Leave(AtZones):
    """The price is outside a zone, on whichever side, and was inside before."""

    kind: Literal["leave"]
    statuses: Annotated[tuple[Identifier, ...], Field(min_length=1)] = ("open", "touched")


Pattern = Touch | Break | Sweep | Retest | Enter | Leave
When = Annotated[
    Touch | Break | Sweep | Retest | Enter | Leave | AtClose, Field(discriminator="kind")
]


def reach_ticks(when: Pattern) -> tuple[str, int]:
    """The field that says how near to the level a firing can be, and its value."""
    if isinstance(when, AtZones):
        return "depth", 0
    if isinstance(when, Touch):
        return "within_ticks", when.within_ticks
    if isinstance(when, Break):
        return "through_ticks", when.through_ticks
    if when.back_ticks > when.through_ticks:
        return "back_ticks", when.back_ticks
    return "through_ticks", when.through_ticks


def reach_ranges(when: Pattern) -> tuple[str, float]:
    """The same in average true ranges."""
    names = ("within_atr", "through_atr", "back_atr")
    given = [(name, getattr(when, name, None) or 0.0) for name in names]
    return max(given, key=lambda one: one[1])
