"""What a condition may look at: parts of the candle, values, levels, zones, correlations, numbers.

Each can be one of another timeframe, and of another symbol.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from services.signals.domain.names import (
    Unit,
    as_told,
    check_level,
    check_value,
    check_zone,
    unit_of,
)
from shared.events.base import Finite, Symbol, Value
from shared.market.timeframes import Timeframe

PARTS = ("open", "high", "low", "close")
_LEVEL = "level:"
_ZONE = "zone:"
_CORRELATION = "correlation:"
_OF = " of "

SeriesName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.:]{0,79}$")]


class _Series(Value):
    """``timeframe`` is the rule's own unless given, ``symbol`` the one that is decided on."""

    timeframe: Timeframe | None = None
    symbol: Symbol | None = None

    @property
    def key(self) -> str:
        """Its name among a reading's numbers."""
        raise NotImplementedError

    @property
    def unit(self) -> Unit:
        return "price"

    @property
    def label(self) -> str:
        """``close``, ``1h rsi:14``, ``VIX 15m close``: its name among a signal's operands."""
        parts = (self.symbol, self.timeframe, self.key)
        return " ".join(part for part in parts if part is not None)

    @property
    def text(self) -> str:
        """``close``, ``rsi:14@1h``, ``close@15m of VIX``: how a rule spells it."""
        at = "" if self.timeframe is None else f"@{self.timeframe}"
        of = "" if self.symbol is None else f"{_OF}{self.symbol}"
        return f"{self.key}{at}{of}"


class CandlePart(_Series):
    """Open, high, low or close of the timeframe's last closed candle."""

    kind: Literal["candle"]
    part: Literal["open", "high", "low", "close"]

    @property
    def key(self) -> str:
        return self.part


class Reading(_Series):
    """A value as the timeframe's last reading names it: ``rsi:14``, ``macd:12:26:9.signal``."""

    kind: Literal["value"]
    name: SeriesName

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        check_value(name)
        return as_told(name)

    @property
    def key(self) -> str:
        return self.name

    @property
    def unit(self) -> Unit:
        return unit_of(self.name)


class LevelPrice(_Series):
    """The price of the latest formed level of this key in the timeframe's last reading."""

    kind: Literal["level"]
    name: SeriesName

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        check_level(name)
        return as_told(name)

    @property
    def key(self) -> str:
        return _LEVEL + self.name


class ZoneEdge(_Series):
    """The upper or lower edge of the latest formed zone of this key in the last reading."""

    kind: Literal["zone"]
    name: SeriesName
    edge: Literal["high", "low"]

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        check_zone(name)
        return name

    @property
    def key(self) -> str:
        return f"{_ZONE}{self.name}.{self.edge}"


class Correlated(_Series):
    """Pearson's correlation, -1 to 1, of the closes of the rule's symbol and of another one.

    Pairs are candles of both that ended at the same moment, the last ``window`` of them; returns
    are logarithms of a close over the one of the pair before.
    """

    kind: Literal["correlation"]
    symbol: Symbol
    window: Annotated[int, Field(strict=True, ge=2, le=500, description="pairs, or their returns")]
    of: Literal["returns", "prices"]

    @property
    def key(self) -> str:
        return f"{_CORRELATION}{self.symbol}:{self.window}:{self.of}"

    @property
    def unit(self) -> Unit:
        return "ratio"

    @property
    def label(self) -> str:
        return self.key if self.timeframe is None else f"{self.timeframe} {self.key}"

    @property
    def text(self) -> str:
        return self.key if self.timeframe is None else f"{self.key}@{self.timeframe}"

    @property
    def pairs_needed(self) -> int:
        """Pairs that make a window full: a return needs the pair before it too."""
        return self.window + (self.of == "returns")


class Number(Value):
    """A plain number, which fits every unit."""

    kind: Literal["number"]
    number: Finite

    @property
    def unit(self) -> Unit:
        return "number"


def _spelled(value: Any) -> Any:
    """``30``, ``close``, ``rsi:14@1h``, ``level:swing.high of VIX`` as tables."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"kind": "number", "number": value}
    if not isinstance(value, str):
        return value
    text, of, symbol = value.partition(_OF)
    name, at, timeframe = text.partition("@")
    where = ({"timeframe": timeframe} if at else {}) | ({"symbol": symbol} if of else {})
    if name in PARTS:
        return {"kind": "candle", "part": name, **where}
    if name.startswith(_LEVEL):
        return {"kind": "level", "name": name.removeprefix(_LEVEL), **where}
    if name.startswith(_ZONE):
        zone, _, edge = name.removeprefix(_ZONE).rpartition(".")
        return {"kind": "zone", "name": zone, "edge": edge, **where}
    if name.startswith(_CORRELATION) and not of:
        return _correlation(name) | where
    return {"kind": "value", "name": name, **where}


def _correlation(text: str) -> dict[str, Any]:
    """``correlation:VIX:50:returns``."""
    symbol, _, rest = text.removeprefix(_CORRELATION).partition(":")
    window, _, of = rest.partition(":")
    number = int(window) if window.isascii() and window.isdigit() else window
    return {"kind": "correlation", "symbol": symbol, "window": number, "of": of}


Read = CandlePart | Reading | LevelPrice | ZoneEdge | Correlated
Series = Annotated[
    Annotated[
        CandlePart | Reading | LevelPrice | ZoneEdge | Correlated | Number,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_spelled),
]


def fit(one: Unit, other: Unit) -> bool:
    """Whether numbers of these units can be compared."""
    return "number" in (one, other) or one == other
