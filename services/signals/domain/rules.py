"""Rules as data: frozen, validated, versioned by their content. docs/rules.md defines the words."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from services.signals.domain.conditions import AtClose
from shared.events.base import Symbol, Value
from shared.market.timeframes import Timeframe

EVERY_SYMBOL = "*"
DAY_S = 86_400

# Ids are made of these names, so they hold no dot, colon or @.
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
# A level's key, where * stands for any run of characters: pivot.classic.*
KeyPattern = Annotated[str, Field(pattern=r"^[a-z0-9_.:*]{1,80}$")]
# Strict, so that "2", 2.0 and true are refused and not bent into a number.
Ticks = Annotated[int, Field(strict=True, ge=0, le=1_000_000, description="instrument's ticks")]
SomeTicks = Annotated[int, Field(strict=True, ge=1, le=1_000_000, description="instrument's ticks")]
Seconds = Annotated[int, Field(strict=True, ge=0, le=30 * DAY_S)]
SomeSeconds = Annotated[int, Field(strict=True, ge=1, le=30 * DAY_S)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class AtLevels(Value):
    """What every pattern at a level names: which levels, and from how many ticks a jump is a gap.

    ``timeframe`` is the one whose levels are meant, not the pace of the decision.
    """

    timeframe: Timeframe
    levels: Annotated[tuple[KeyPattern, ...], Field(min_length=1)]
    gap_ticks: SomeTicks = 50

    def names(self, key: str) -> bool:
        """Whether a level of this key is meant."""
        return _names(self.levels, key)


class Touch(AtLevels):
    """The price comes within so many ticks of a level, from a side."""

    kind: Literal["touch"]
    within_ticks: Ticks = 2


class Break(AtLevels):
    """The price goes through a level, by so many ticks."""

    kind: Literal["break"]
    through_ticks: SomeTicks = 1


class Sweep(AtLevels):
    """The price goes through a level and comes back within the window.

    The window ends after ``window_s`` seconds of event time or ``window_prices`` further ticks,
    whichever is first. Deeper than ``depth_ticks_max`` is a break and no sweep.
    """

    kind: Literal["sweep"]
    through_ticks: SomeTicks = 1
    back_ticks: Ticks = 0
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
        return self


class Retest(Value):
    """The price comes back to a zone, ``depth`` of the way from its near edge to its far one.

    ``statuses`` are those of the zone's life in which it counts: ``open`` until a candle has come
    back to it.
    """

    kind: Literal["retest"]
    timeframe: Timeframe
    zones: Annotated[tuple[KeyPattern, ...], Field(min_length=1)]
    statuses: Annotated[tuple[Identifier, ...], Field(min_length=1)] = ("open",)
    depth: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    gap_ticks: SomeTicks = 50

    def names(self, key: str, status: str) -> bool:
        """Whether a zone of this key and status is meant."""
        return status in self.statuses and _names(self.zones, key)


When = Annotated[Touch | Break | Sweep | Retest | AtClose, Field(discriminator="kind")]


class Life(Value):
    """When a rule that has fired at a level may fire there again: both must be fulfilled.

    A candle rule has no distance; it re-arms when its condition does not hold any more.
    """

    rearm_ticks: SomeTicks = 40
    cooldown_s: Seconds = 300


class Rule(Value):
    """One thing to look for, and how often to tell of it."""

    name: Identifier
    when: When
    life: Life = Life()

    @property
    def version(self) -> str:
        """Eight hex digits of the SHA-256 of the whole rule, defaults filled in."""
        return digest(self.model_dump(mode="json"))[:8]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.when, AtClose):
            if self.life.rearm_ticks != Life().rearm_ticks:
                raise ValueError(
                    "life.rearm_ticks says nothing to a candle rule, which re-arms when its "
                    "condition does not hold any more; leave it out"
                )
            return self
        name, reach = _reach(self.when)
        if self.life.rearm_ticks <= reach:
            raise ValueError(
                f"life.rearm_ticks {self.life.rearm_ticks} must be more than when.{name} {reach}, "
                "or the rule would re-arm without the price leaving the level; make it larger"
            )
        return self


class RuleSet(Value):
    """Rules that are switched on together, for some symbols, under one daily cap.

    ``signals_a_day_max`` counts per symbol and session; what is above it is counted, not sent.
    """

    name: Identifier
    title: Annotated[str, Field(max_length=200)] = ""
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1)] = (EVERY_SYMBOL,)
    signals_a_day_max: Count = 10
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=200)]

    @field_validator("rules")
    @classmethod
    def _check_names(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        names = [rule.name for rule in rules]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"more than one rule is named {', '.join(doubled)}; rename one")
        return rules

    def covers(self, symbol: str) -> bool:
        """Whether the set looks at this symbol."""
        return EVERY_SYMBOL in self.symbols or symbol in self.symbols

    @property
    def body(self) -> dict[str, Any]:
        """The whole set as JSON values, defaults filled in: what stands on the spine."""
        return self.model_dump(mode="json")

    @property
    def version(self) -> str:
        """Sixteen hex digits of the SHA-256 of the body."""
        return digest_of_set(self.body)


def digest_of_set(body: dict[str, Any]) -> str:
    """The version of a set with this body."""
    return digest(body)[:16]


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of JSON values in one canonical text: sorted names, no spaces."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _reach(when: Touch | Break | Sweep | Retest) -> tuple[str, int]:
    """The field that says how near to the level a firing can be, and its value."""
    if isinstance(when, Retest):
        return "depth", 0
    if isinstance(when, Touch):
        return "within_ticks", when.within_ticks
    if isinstance(when, Break):
        return "through_ticks", when.through_ticks
    if when.back_ticks > when.through_ticks:
        return "back_ticks", when.back_ticks
    return "through_ticks", when.through_ticks


def _names(patterns: Iterable[str], key: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), key) for pattern in patterns
    )
