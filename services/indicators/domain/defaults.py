"""The set that every symbol gets where operators say nothing else."""

from collections.abc import Mapping, Sequence

from services.indicators.domain.catalogue import parse
from services.indicators.domain.recipe import Recipe
from shared.market.timeframes import TIMEFRAMES, Timeframe

EVERY_TIMEFRAME = (
    "swing:2",
    "fvg",
    "donchian:20",
    "atr_stop:14:3",
    "atr:14",
    "rsi:14",
    "ema:20",
    "vwap",
)
# Each of these stands in the readings of one timeframe only, so that no reader finds two answers:
# the day's in 1d, whose candle ends with the day; those that a session's first candles decide in
# shorter ones.
EXTRA: Mapping[Timeframe, tuple[str, ...]] = {
    "15m": ("opening_range:30",),
    "1h": ("previous_week", "previous_month", "round_number:3"),
    "1d": ("previous_day", "pivot.classic"),
}


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
