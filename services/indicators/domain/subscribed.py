"""Recipes that somebody asked for besides the set that every symbol gets: the spine tells them.

A ``config`` entry of kind ``indicators`` holds all of a symbol's. With it comes the past of those
that are new, so that they are warm at once and a replay finds them just as warm.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Self

from pydantic import Field, ValidationError

from services.indicators.domain.catalogue import parse
from services.indicators.domain.recipe import Recipe
from shared.events import CandleClosed
from shared.events.base import Finite, Micros, Name, Price, Value
from shared.events.codec import first_reason
from shared.market.timeframes import Timeframe

RECIPES_MAX = 50
SEED_MAX = 2_000

Row = tuple[Micros, Micros, Micros, Price, Price, Price, Price, Finite]
"""A candle as open_at, at, session_at, open, high, low, close, volume."""

_PARTS = ("open_at", "at", "session_at", "open", "high", "low", "close", "volume")


class Subscribed(Value):
    """A symbol's further recipes by timeframe, and closed candles, oldest first, to warm them."""

    recipes: dict[Timeframe, Annotated[tuple[Name, ...], Field(max_length=RECIPES_MAX)]]
    seeds: dict[Timeframe, Annotated[tuple[Row, ...], Field(max_length=SEED_MAX)]] = Field(
        default_factory=dict
    )

    @classmethod
    def read(cls, symbol: str, body: object) -> Self:
        """A config entry's body; an empty one asks for nothing.

        Raises:
            ValueError: it is none, or names a recipe that there is not.
        """
        try:
            made = cls.model_validate(body or {"recipes": {}})
        except ValidationError as error:
            raise ValueError(f"indicators of {symbol}: {first_reason(error)}") from error
        for texts in made.recipes.values():
            for text in texts:
                parse(text)
        return made

    def seed(self, symbol: str, timeframe: Timeframe) -> list[CandleClosed]:
        """The candles that warm recipes of a timeframe, oldest first."""
        rows = sorted(self.seeds.get(timeframe, ()), key=lambda row: row[1])
        return [candle_of(symbol, timeframe, row) for row in rows]


def row_of(candle: CandleClosed) -> Row:
    """What a recipe takes from a candle."""
    return (
        candle.open_at, candle.at, candle.session_at,
        candle.open, candle.high, candle.low, candle.close, candle.volume,
    )  # fmt: skip


def candle_of(symbol: str, timeframe: Timeframe, row: Sequence[float]) -> CandleClosed:
    """A candle of the past; only what recipes look at is known of it.

    Raises:
        pydantic.ValidationError: it is impossible.
    """
    return CandleClosed(
        symbol=symbol,
        pos=0,
        timeframe=timeframe,
        ticks=0,
        source="seed",
        origin="seed",
        cause="seed",
        **dict(zip(_PARTS, row, strict=True)),  # type: ignore[arg-type]
    )


def together(defaults: Sequence[Recipe], texts: Sequence[str]) -> tuple[Recipe, ...]:
    """The recipes that all get, then those of the texts that are not among them."""
    named = {recipe.name: recipe for recipe in (*defaults, *map(parse, texts))}
    return tuple(named.values())


def beyond(defaults: Sequence[Recipe], texts: Sequence[str]) -> Iterator[str]:
    """The full names of those texts' recipes that not everybody gets."""
    known = {recipe.name for recipe in defaults}
    for name in sorted({parse(text).name for text in texts}):
        if name not in known:
            yield name
