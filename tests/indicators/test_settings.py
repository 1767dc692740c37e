"""What operators can set of the indicators service."""

import pytest
from pydantic import ValidationError

from services.indicators.domain.defaults import recipes
from services.indicators.settings import IndicatorsSection
from shared.market.timeframes import TIMEFRAMES


def test_defaults_are_recipes() -> None:
    """Out of the box every timeframe has swings and an ATR; the day's levels stand in 1d alone."""
    section = IndicatorsSection()
    names = {
        timeframe: {recipe.name for recipe in found}
        for timeframe, found in recipes(section.every, section.extra).items()
    }
    assert names.keys() == {*TIMEFRAMES}
    assert all({"swing:2", "atr:14"} <= found for found in names.values())
    with_day = [timeframe for timeframe, found in names.items() if "previous_day" in found]
    assert with_day == ["1d"]


def test_unknown_recipe_is_named() -> None:
    """A recipe that does not exist is refused at start, by name, with those that do."""
    with pytest.raises(ValidationError, match="unknown indicator or level 'rsx:14'; known: adx"):
        IndicatorsSection(every=("rsx:14",))
    with pytest.raises(ValidationError, match="rsi: length must be from 1 to 1000, got 0"):
        IndicatorsSection(extra={"1d": ("rsi:0",)})
