"""Rules as data: frozen, validated, versioned by their content. docs/rules.md defines the words."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from services.signals.domain.conditions import AtClose
from services.signals.domain.hours import Window
from services.signals.domain.kinds import (
    Count,
    Identifier,
    Ranges,
    Seconds,
    SomeTicks,
    When,
    reach_ranges,
    reach_ticks,
)
from services.signals.domain.series import Number, Reading, Series
from shared.events.base import Symbol, Value
from shared.market.timeframes import Timeframe

EVERY_SYMBOL = "*"
SignalType = Literal["Intraday", "Positional"]
_ATR = Reading(kind="value", name="atr:14", timeframe="15m")


class Life(Value):
    """When a rule that has fired may fire again: all of it must be fulfilled.

    ``fires``: once at a level (in all, for a candle rule), once in a candle of ``candle`` (the
    rule's own timeframe unless given), or every time. A candle rule has no distance; it re-arms
    when its condition does not hold any more.
    """

    fires: Literal["once", "once_per_candle", "every_time"] = "every_time"
    candle: Timeframe | None = None
    rearm_ticks: SomeTicks = 40
    rearm_atr: Ranges | None = None
    cooldown_s: Seconds = 300

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.candle is not None and self.fires != "once_per_candle":
            raise ValueError('candle goes with fires = "once_per_candle"; leave it out')
        return self


class Rule(Value):
    """One thing to look for, when, and how often to tell of it.

    It counts only inside one of the windows of ``during``, always if there is none. ``atr`` is
    what distances in average true ranges are measured with.
    """

    name: Identifier
    when: When
    during: Annotated[tuple[Window, ...], Field(max_length=10)] = ()
    life: Life = Life()
    atr: Series = _ATR

    @property
    def version(self) -> str:
        """Eight hex digits of the SHA-256 of the whole rule, defaults filled in."""
        return digest(self.model_dump(mode="json", exclude_none=True))[:8]

    @property
    def others(self) -> frozenset[str]:
        """The other symbols that it looks at."""
        if not isinstance(self.when, AtClose):
            return frozenset()
        found = (series.symbol for _, series in self.when.reads())
        return frozenset(symbol for symbol in found if symbol is not None)

    @property
    def candle(self) -> Timeframe:
        """The candle that ``once_per_candle`` means."""
        if self.life.candle is not None:
            return self.life.candle
        if isinstance(self.when, AtClose) or self.when.on == "tick":
            return self.when.timeframe
        return self.when.on

    @field_validator("atr")
    @classmethod
    def _check_atr(cls, atr: Series) -> Series:
        if isinstance(atr, Number) or atr.unit != "distance" or atr.timeframe is None:
            raise ValueError("atr must be a distance with its timeframe, such as atr:14@15m")
        if atr.symbol is not None:
            raise ValueError("atr is the rule's own symbol's; leave out its of")
        return atr

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.when, AtClose):
            if self.life.rearm_ticks != Life().rearm_ticks or self.life.rearm_atr is not None:
                raise ValueError(
                    "life.rearm_ticks says nothing to a candle rule, which re-arms when its "
                    "condition does not hold any more; leave it out"
                )
            return self
        name, reach = reach_ticks(self.when)
        if self.life.rearm_atr is None and self.life.rearm_ticks <= reach:
            raise ValueError(
                f"life.rearm_ticks {self.life.rearm_ticks} must be more than when.{name} {reach}, "
                "or the rule would re-arm without the price leaving the level; make it larger"
            )
        name, ranges = reach_ranges(self.when)
        if self.life.rearm_atr is not None and self.life.rearm_atr <= ranges:
            raise ValueError(
                f"life.rearm_atr {self.life.rearm_atr} must be more than when.{name} {ranges}, "
                "or the rule would re-arm without the price leaving the level; make it larger"
            )
        return self


class RuleSet(Value):
    """Rules that are switched on together, for some symbols, under one daily cap.

    ``signals_a_day_max`` counts per symbol and session; what is above it is counted, not sent.
    Intraday signals expire at their session's end, Positional ones never. A rule that looks at
    another symbol is not decided on that symbol itself.
    """

    name: Identifier
    title: Annotated[str, Field(max_length=200)] = ""
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1)] = (EVERY_SYMBOL,)
    signal_type: SignalType = "Intraday"
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

    @model_validator(mode="after")
    def _check_others(self) -> Self:
        for rule in self.rules:
            own = sorted(rule.others & set(self.symbols))
            if own:
                raise ValueError(
                    f"rule {rule.name} looks at {own[0]} as another symbol, but symbols names it "
                    f"as one to decide on; leave {own[0]} out of symbols or of the rule"
                )
        return self

    def covers(self, symbol: str) -> bool:
        """Whether the set looks at this symbol."""
        return EVERY_SYMBOL in self.symbols or symbol in self.symbols

    @property
    def body(self) -> dict[str, Any]:
        """The whole set as JSON values, defaults filled in: what stands on the spine."""
        return self.model_dump(mode="json", exclude_none=True)

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
