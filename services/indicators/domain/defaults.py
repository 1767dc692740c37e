"""The set that every symbol gets where operators say nothing else."""

from collections.abc import Mapping, Sequence

from services.indicators.domain.catalogue import parse
from services.indicators.domain.recipe import Recipe
from shared.market.timeframes import TIMEFRAMES, Timeframe

EVERY_TIMEFRAME = ("swing:2",)
EXTRA: Mapping[Timeframe, tuple[str, ...]] = {"1d": ("previous_day", "pivot.classic")}


def recipes(
    every: Sequence[str] = EVERY_TIMEFRAME,
    extra: Mapping[Timeframe, Sequence[str]] = EXTRA,
) -> dict[Timeframe, tuple[Recipe, ...]]:
    """What is computed on each timeframe: ``every`` on all, ``extra`` on single ones.

    Raises:
        RecipeError: a text is no recipe.
    """
    return {
        timeframe: tuple(parse(text) for text in (*every, *extra.get(timeframe, ())))
        for timeframe in TIMEFRAMES
    }
