"""Every recipe there is, by the word that its text begins with."""

from services.indicators.domain.indicators.adx import Adx
from services.indicators.domain.indicators.atr import Atr
from services.indicators.domain.indicators.bollinger import Bollinger
from services.indicators.domain.indicators.ema import Ema
from services.indicators.domain.indicators.macd import Macd
from services.indicators.domain.indicators.rsi import Rsi
from services.indicators.domain.indicators.sma import Sma
from services.indicators.domain.indicators.stochastic import Stochastic
from services.indicators.domain.indicators.supertrend import Supertrend
from services.indicators.domain.indicators.vwap import Vwap
from services.indicators.domain.levels.atr_stop import AtrStop
from services.indicators.domain.levels.donchian import Donchian
from services.indicators.domain.levels.fair_value_gaps import FairValueGaps
from services.indicators.domain.levels.opening_range import OpeningRange
from services.indicators.domain.levels.pivots import (
    CamarillaPivots,
    ClassicPivots,
    DemarkPivots,
    FibonacciPivots,
    WoodiePivots,
)
from services.indicators.domain.levels.previous import PreviousDay, PreviousMonth, PreviousWeek
from services.indicators.domain.levels.round_numbers import RoundNumbers
from services.indicators.domain.levels.swings import Swings
from services.indicators.domain.recipe import Recipe, RecipeError

_RECIPES: tuple[type[Recipe], ...] = (
    Adx,
    Atr,
    AtrStop,
    Bollinger,
    CamarillaPivots,
    ClassicPivots,
    DemarkPivots,
    Donchian,
    Ema,
    FairValueGaps,
    FibonacciPivots,
    Macd,
    OpeningRange,
    PreviousDay,
    PreviousMonth,
    PreviousWeek,
    RoundNumbers,
    Rsi,
    Sma,
    Stochastic,
    Supertrend,
    Swings,
    Vwap,
    WoodiePivots,
)
CATALOGUE: dict[str, type[Recipe]] = {recipe.WORD: recipe for recipe in _RECIPES}


def parse(text: str) -> Recipe:
    """The recipe that a text such as ``rsi:14`` describes.

    Raises:
        RecipeError: there is no such recipe, or a parameter is wrong; names it and the mend.
    """
    word, *parameters = text.split(":")
    recipe = CATALOGUE.get(word)
    if recipe is None:
        raise RecipeError(f"unknown indicator or level {text!r}; known: {', '.join(CATALOGUE)}")
    return recipe.parse(parameters)
