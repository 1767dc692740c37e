"""What the API is asked and what it answers, field by field. All times are microseconds UTC."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from services.indicators.adapters.answers import Values
from shared.market.timeframes import Timeframe

_ASKED_MAX = 50
_BATCH_MAX = 100
OFFSET_MAX = 1_000

Symbol = Annotated[str, Field(min_length=1, max_length=40, description="for example NIFTY 50")]
Frame = Annotated[str, Field(min_length=1, max_length=12, description="for example 5min or 5m")]
Word = Annotated[str, Field(min_length=1, max_length=80)]
Words = Annotated[
    str,
    Query(min_length=1, max_length=2_000, description="separated by commas: RSI_14,ema:20"),
]
_STRICT = ConfigDict(extra="forbid")


class Subscription(BaseModel):
    """Recipes of one symbol and timeframe, by any of their names."""

    model_config = _STRICT

    symbol: Symbol
    timeframe: Frame
    indicators: Annotated[list[Word], Field(min_length=1, max_length=_ASKED_MAX)]


class Question(Subscription):
    """One question of a batch: values after the candle that is ``offset`` candles back."""

    offset: Annotated[int, Field(ge=0, le=OFFSET_MAX)] = 0


class Questions(BaseModel):
    """Several questions at once."""

    model_config = _STRICT

    requests: Annotated[list[Question], Field(min_length=1, max_length=_BATCH_MAX)]


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What became of a subscription: each indicator's own name, and whether it has values.

    ``applied`` is false until the change stands on the symbol's spine.
    """

    symbol: str
    timeframe: Timeframe
    applied: bool
    indicators: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """What became of the end of a subscription; ``kept`` are wanted by others, or by everybody."""

    symbol: str
    timeframe: Timeframe
    removed: list[str]
    kept: list[str]


@dataclass(frozen=True, slots=True)
class History:
    """Values after closed candles, newest first. ``next_before`` asks for the page before; null at
    the beginning of what is kept."""

    symbol: str
    timeframe: Timeframe
    readings: list[Values]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """An answer or a problem for each question, in their order."""

    results: list[Values | dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Mine:
    """A user's subscriptions."""

    subscriptions: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every indicator and level there is, with default parameters."""

    indicators: list[dict[str, str]]
