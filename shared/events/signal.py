"""A rule recognised what it looks for."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from shared.events.base import AsJson, Event, Finite, Name, Price, stamp
from shared.events.level import MaybeMicros
from shared.market.timeframes import Timeframe

Action = Literal["touch", "break", "sweep", "retest", "enter", "leave", "condition"]
Direction = Literal["long", "short"]


class SignalGenerated(Event):
    """One firing of one rule at one level.

    ``config`` is the rule set, ``rule`` and ``rule_version`` the rule as it stood on the spine,
    ``level`` the level's ``ref``, ``operands`` every number the decision used, ``reason`` the
    sentence that says why. ``gap`` marks a level that was jumped over between two prices. The
    level of a ``retest``, ``enter`` or ``leave`` is the zone's near edge; that of a ``condition``,
    a rule on closed candles, the first level or price among its operands, else its first operand
    at the candle's close. ``expires_at`` is the session's end; unset, it does not expire.
    """

    TYPE: ClassVar[str] = "signal_generated"
    TOPIC: ClassVar[str] = "signal_generated"

    config: Name
    rule: Name
    rule_version: Name
    action: Action
    direction: Direction
    timeframe: Timeframe
    level: Name
    level_price: Finite
    price: Price
    gap: bool
    operands: Annotated[dict[str, Finite], AsJson]
    reason: Name
    expires_at: MaybeMicros
    cause: Name

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.expires_at is not None and self.expires_at < self.at:
            raise ValueError(f"signal expires at {self.expires_at}, before it fires at {self.at}")
        return self

    @property
    def id(self) -> str:
        rule = f"{self.config}.{self.rule}@{self.rule_version}"
        return f"{self.TYPE}:{self.symbol}:{rule}:{self.timeframe}.{self.level}:{stamp(self.at)}"
