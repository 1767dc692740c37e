"""Names as people write them lead to ours, or to the nearest."""

import pytest

from services.indicators.domain.catalogue import CATALOGUE
from services.indicators.domain.naming import UnknownName, recipe_of, symbol_of, timeframe_of
from services.indicators.domain.recipe import RecipeError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("RSI_14", "rsi:14"),
        ("rsi:14", "rsi:14"),
        ("RSI", "rsi:14"),
        ("MACD_12_26_9", "macd:12:26:9"),
        ("BB_20_2.5", "bollinger:20:2.5"),
        ("ATR_STOP_14_3", "atr_stop:14:3"),
        ("Stoch", "stochastic:14:3:3"),
        ("pivot.classic", "pivot.classic"),
    ],
)
def test_indicators_are_known_by_many_names(text: str, name: str) -> None:
    """Underscores or colons, any case, the usual short words, defaults where nothing is said."""
    assert recipe_of(text).name == name


@pytest.mark.parametrize("word", sorted(CATALOGUE))
def test_every_recipe_is_found_by_its_own_name(word: str) -> None:
    """What the catalogue lists can be asked for, in upper case with underscores too."""
    name = CATALOGUE[word]().name
    assert recipe_of(name).name == name
    assert recipe_of(name.replace(":", "_").upper()).name == name


@pytest.mark.parametrize(
    ("text", "timeframe"),
    [
        ("5min", "5m"), ("5m", "5m"), ("15 min", "15m"), ("60", "1h"), ("1hour", "1h"),
        ("4H", "4h"), ("D", "1d"), ("1day", "1d"), ("240", "4h"), ("m", "1m"),
    ],
)  # fmt: skip
def test_timeframes_are_known_by_many_names(text: str, timeframe: str) -> None:
    """Minutes with or without a unit, hours, days."""
    assert timeframe_of(text) == timeframe


@pytest.mark.parametrize("text", ["7m", "", "2h", "five", "99999999999999m", "5 5"])
def test_other_timeframes_are_refused(text: str) -> None:
    """The known ones are named."""
    with pytest.raises(UnknownName, match="known: 1m, 5m, 15m, 1h, 4h, 1d"):
        timeframe_of(text)


def test_symbols_are_found_without_spaces_and_in_any_case() -> None:
    """Where one alone is meant; else the nearest are named."""
    known = ["NIFTY 50", "NIFTY BANK", "EURUSD"]
    assert symbol_of("NIFTY50", known) == "NIFTY 50"
    assert symbol_of("eurusd", known) == "EURUSD"
    with pytest.raises(UnknownName, match="did you mean EURUSD") as refused:
        symbol_of("EURUSDT", known)
    assert refused.value.nearest[0] == "EURUSD"


def test_a_wrong_parameter_is_told_as_such() -> None:
    """The name is right, the number is not."""
    with pytest.raises(RecipeError, match="length must be from 1 to 1000"):
        recipe_of("RSI_0")
