"""Every recipe there is, by the word that its text begins with."""

from services.indicators.domain.levels.pivots import ClassicPivots
from services.indicators.domain.levels.previous import PreviousDay, PreviousMonth, PreviousWeek
from services.indicators.domain.levels.swings import Swings
from services.indicators.domain.recipe import Recipe, RecipeError

CATALOGUE: dict[str, type[Recipe]] = {
    recipe.WORD: recipe
    for recipe in (
        ClassicPivots,
        PreviousDay,
        PreviousMonth,
        PreviousWeek,
        Swings,
    )
}


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
