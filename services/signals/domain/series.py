"""What a condition may look at: parts of the candle, values, levels and plain numbers."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from shared.events.base import Finite, Value
from shared.market.timeframes import Timeframe

Unit = Literal["price", "percent", "distance", "trend", "ratio", "number"]
# The first word of a value's or level's name says what its number is.
_UNITS: dict[str, Unit] = {
    "adx": "percent",
    "atr": "distance",
    "atr_stop": "price",
    "bollinger": "price",
    "correlation": "ratio",
    "donchian": "price",
    "ema": "price",
    "macd": "distance",
    "opening_range": "price",
    "pivot": "price",
    "previous_day": "price",
    "previous_month": "price",
    "previous_week": "price",
    "round_number": "price",
    "rsi": "percent",
    "sma": "price",
    "stochastic": "percent",
    "supertrend": "price",
    "swing": "price",
    "vwap": "price",
}
PARTS = ("open", "high", "low", "close")
_LEVEL = "level:"

SeriesName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.:]{0,79}$")]


def _known(name: str) -> str:
    unit_of(name)
    return name


class CandlePart(Value):
    """Open, high, low or close of the timeframe's last closed candle."""

    kind: Literal["candle"]
    part: Literal["open", "high", "low", "close"]
    timeframe: Timeframe | None = None

    @property
    def key(self) -> str:
        """Its name among a reading's numbers."""
        return self.part

    @property
    def unit(self) -> Unit:
        return "price"


class Reading(Value):
    """A value as the timeframe's last reading names it: ``rsi:14``, ``macd:12:26:9.signal``."""

    kind: Literal["value"]
    name: SeriesName
    timeframe: Timeframe | None = None

    _check = field_validator("name")(_known)

    @property
    def key(self) -> str:
        """Its name among a reading's numbers."""
        return self.name

    @property
    def unit(self) -> Unit:
        return unit_of(self.name)


class LevelPrice(Value):
    """The price of the latest formed level of this key in the timeframe's last reading."""

    kind: Literal["level"]
    name: SeriesName
    timeframe: Timeframe | None = None

    _check = field_validator("name")(_known)

    @property
    def key(self) -> str:
        """Its name among a reading's numbers."""
        return _LEVEL + self.name

    @property
    def unit(self) -> Unit:
        return "price"


class Number(Value):
    """A plain number, which fits every unit."""

    kind: Literal["number"]
    number: Finite

    @property
    def unit(self) -> Unit:
        return "number"


def _spelled(value: Any) -> Any:
    """``30``, ``close``, ``rsi:14@1h`` and ``level:swing.high`` as the tables they stand for."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"kind": "number", "number": value}
    if not isinstance(value, str):
        return value
    name, at, timeframe = value.partition("@")
    where = {"timeframe": timeframe} if at else {}
    if name in PARTS:
        return {"kind": "candle", "part": name, **where}
    if name.startswith(_LEVEL):
        return {"kind": "level", "name": name.removeprefix(_LEVEL), **where}
    return {"kind": "value", "name": name, **where}


Read = CandlePart | Reading | LevelPrice
Series = Annotated[
    Annotated[CandlePart | Reading | LevelPrice | Number, Field(discriminator="kind")],
    BeforeValidator(_spelled),
]


def unit_of(name: str) -> Unit:
    """What a value's or level's number is.

    Raises:
        ValueError: nothing of that name exists.
    """
    word = name.partition(":")[0].partition(".")[0]
    if word not in _UNITS:
        raise ValueError(f"unknown series {name!r}; known are open, high, low, close, {_names()}")
    if name.endswith(".trend"):
        return "trend"
    if word == "adx":
        return "percent"
    return _UNITS[word]


def _names() -> str:
    return ", ".join(sorted(_UNITS))


def fit(one: Unit, other: Unit) -> bool:
    """Whether numbers of these units can be compared."""
    return "number" in (one, other) or one == other
