"""The entries of a spine: the one ordered record that every later decision rests on.

All of them live in the ``tick`` topic of a partition and are numbered by its only writer.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from shared.events.base import AsJson, Event, Finite, Micros, Name, Price, Value, stamp
from shared.events.candle import Origin, Volume, check_shape
from shared.events.level import MaybeMicros
from shared.market.timeframes import TIMEFRAMES, Timeframe

SPINE = "tick"
# The symbol of entries that concern the partition and not one instrument.
PARTITION_SYMBOL = "*"


class Tick(Event):
    """One price. ``n`` counts the symbol's ticks within the minute, so equal times stay apart."""

    TYPE: ClassVar[str] = "tick"
    TOPIC: ClassVar[str] = SPINE

    price: Price
    size: Volume
    source: Name
    n: Annotated[int, Field(ge=0)]

    @property
    def id(self) -> str:
        return f"tick:{self.symbol}:{self.source}:{stamp(self.at)}:{self.n}"


class Window(Value):
    """One timeframe's window that a close ends; its end is the close's ``at``."""

    timeframe: Timeframe
    open_at: Micros


class Close(Event):
    """These candles of a symbol are over. ``windows`` are in the order of the timeframes.

    ``session_at`` and ``session_end_at`` bound the session that they belong to; a close that ends
    it also tells the next one, ``next_session_at`` and ``next_session_end_at``.
    """

    TYPE: ClassVar[str] = "close"
    TOPIC: ClassVar[str] = SPINE

    session_at: Micros
    windows: Annotated[tuple[Window, ...], AsJson]
    session_end_at: MaybeMicros = None
    next_session_at: MaybeMicros = None
    next_session_end_at: MaybeMicros = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.windows:
            raise ValueError("a close names at least one timeframe")
        places = [TIMEFRAMES.index(window.timeframe) for window in self.windows]
        if places != sorted(set(places)):
            raise ValueError("a close names each timeframe once, from the shortest to the longest")
        if any(window.open_at >= self.at for window in self.windows):
            raise ValueError("a close stands after the start of each of its windows")
        return self


class CandleIn(Event):
    """A candle that a provider gave, to be folded into the open windows like ticks.

    ``at`` is the candle's end. ``origin`` tells live candle feeds, seeds and gap fills apart.
    """

    TYPE: ClassVar[str] = "candle_in"
    TOPIC: ClassVar[str] = SPINE

    timeframe: Timeframe
    open_at: Micros
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Volume
    source: Name
    origin: Origin

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_shape(self.open, self.high, self.low, self.close)
        if self.open_at >= self.at:
            raise ValueError(f"candle ends at {self.at}, not after its start {self.open_at}")
        return self

    @property
    def id(self) -> str:
        return f"{self.TYPE}:{self.symbol}:{self.timeframe}:{self.source}:{stamp(self.at)}"


class Config(Event):
    """A setting that changes decisions from here on.

    ``kind`` is the family (``instrument``, ``rules``), ``name`` the member, ``version`` the digest
    of ``body``; an empty body takes the setting away.
    """

    TYPE: ClassVar[str] = "config"
    TOPIC: ClassVar[str] = SPINE

    kind: Name
    name: Name
    version: Name
    body: Annotated[dict[str, Any], AsJson]

    @property
    def id(self) -> str:
        return f"{self.TYPE}:{self.kind}:{self.name}:{self.version}:{self.pos}"


class Source(Event):
    """From here on this provider gives the symbol's prices, so many milliseconds late."""

    TYPE: ClassVar[str] = "source"
    TOPIC: ClassVar[str] = SPINE

    source: Name
    delay_ms: Annotated[Finite, Field(ge=0)]


class Gap(Event):
    """Prices between ``since`` and ``at`` are lost for good."""

    TYPE: ClassVar[str] = "gap"
    TOPIC: ClassVar[str] = SPINE

    since: Micros
    reason: Name

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.since > self.at:
            raise ValueError(f"gap begins at {self.since}, after its end {self.at}")
        return self


class Heartbeat(Event):
    """One a minute, so that a quiet partition moves."""

    TYPE: ClassVar[str] = "heartbeat"
    TOPIC: ClassVar[str] = SPINE


SpineKind = Literal["tick", "close", "candle_in", "config", "source", "gap", "heartbeat"]
