"""Laws that hold for everything in the catalogue; a new recipe is tested without another line."""

import json
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from math import isfinite
from random import Random
from typing import Any

import pytest

import services.indicators.domain.indicators
import services.indicators.domain.levels
from services.indicators.domain.catalogue import CATALOGUE, parse
from services.indicators.domain.indicators.bollinger import Bollinger, BollingerState
from services.indicators.domain.indicators.correlation import Correlation
from services.indicators.domain.levels.base import LevelRecipe, LevelState
from services.indicators.domain.recipe import PARAMETER_MAX, Recipe, RecipeError
from services.indicators.domain.state import State
from shared.events import CandleClosed
from tests.indicators.candles import closed

EVERY = [recipe().name for recipe in CATALOGUE.values()]


def walk(seed: int, count: int, offset: float = 100.0, step: float = 1.0) -> list[CandleClosed]:
    """A random walk of hours with a quiet stretch and a jump, so sessions, weeks, months pass."""
    chance, candles, price = Random(seed), list[CandleClosed](), 0.0
    for n in range(count):
        size = 0.0 if 40 <= n % 200 < 70 else step
        size = 20 * step if n % 150 == 149 else size
        open_ = price
        price = max(price + chance.uniform(-size, size), -offset / 2)
        high = max(open_, price) + chance.uniform(0, size)
        low = min(open_, price) - chance.uniform(0, size) / 10
        prices = (offset + part for part in (open_, high, low, price))
        candles.append(closed(n, *prices, timeframe="1h", volume=float(chance.randrange(5))))
    return candles


def seen(state: State, recipe: Recipe) -> list[Any]:
    """All that a reader gets of a state."""
    values = [getattr(state, output) for output in recipe.OUTPUTS]
    if isinstance(state, LevelState):
        return [*values, state.levels, state.zones, state.ended]
    return values


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def modules_of(package: Any) -> list[Any]:
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return [import_module(f"{package.__name__}.{name}") for name in names]


def test_every_recipe_is_in_the_catalogue() -> None:
    """Whatever recipe stands in a file of indicators or levels can be named."""
    packages = (services.indicators.domain.indicators, services.indicators.domain.levels)
    found = {
        value
        for package in packages
        for module in modules_of(package)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Recipe)
    }
    assert found - {Recipe, LevelRecipe} == set(CATALOGUE.values())
    assert len(EVERY) >= 20


@pytest.mark.parametrize("name", EVERY)
def test_name_describes_the_recipe_wholly(name: str) -> None:
    """Parsing a recipe's name gives the recipe back."""
    assert parse(name).name == name


@pytest.mark.parametrize("name", EVERY)
def test_restore_at_any_point_changes_nothing(name: str) -> None:
    """Saved as JSON text and restored before every candle, a state goes on as if nothing were."""
    recipe = parse(name)
    lasting, renewed = recipe.start(), recipe.start()
    for candle in walk(1, 1200):
        lasting.update(candle)
        renewed = recipe.start().restore(json.loads(json.dumps(renewed.snapshot())))
        renewed.update(candle)
        assert seen(renewed, recipe) == seen(lasting, recipe)
    assert json.dumps(renewed.snapshot()) == json.dumps(lasting.snapshot())


@pytest.mark.parametrize("name", EVERY)
def test_snapshot_is_a_copy(name: str) -> None:
    """What was saved does not move on with the state."""
    state, candles = parse(name).start(), walk(2, 300)
    for candle in candles[:200]:
        state.update(candle)
    saved = state.snapshot()
    text = json.dumps(saved)
    for candle in candles[200:]:
        state.update(candle)
    assert json.dumps(saved) == text


@pytest.mark.parametrize("name", EVERY)
def test_peek_leaves_the_state_alone(name: str) -> None:
    """Peeking shows what the candle would make of it, and changes nothing."""
    recipe = parse(name)
    state = recipe.start()
    for candle in walk(3, 300):
        before, shown = json.dumps(state.snapshot()), seen(state, recipe)
        peeked = seen(state.peek(candle), recipe)
        assert (json.dumps(state.snapshot()), seen(state, recipe)) == (before, shown)
        state.update(candle)
        assert seen(state, recipe) == peeked


SHAPES: dict[str, Callable[[int], tuple[float, float, float, float]]] = {
    "rising": lambda n: (100 + n, 100.5 + n, 99.9 + n, 100.4 + n),
    "falling": lambda n: (9000 - n, 9000.5 - n, 8999.9 - n, 9000.4 - n),
    "flat": lambda n: (100, 100, 100, 100),
    "saw": lambda n: (100 + n % 7, 101 + n % 7, 99 + n % 7, 100 + n % 7),
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shape", SHAPES)
def test_memory_is_bounded(name: str, shape: str) -> None:
    """After 3,000 candles of any shape a state holds no more than a few numbers a window place."""
    state = parse(name).start()
    for n in range(3000):
        state.update(closed(n, *SHAPES[shape](n)))
    assert len(list(leaves(state.snapshot()))) <= 150


@pytest.mark.parametrize("name", EVERY)
def test_flat_prices_without_volume_give_finite_numbers_or_none(name: str) -> None:
    """Where nothing moves and nothing trades, no value is nan, infinite, or an error."""
    recipe = parse(name)
    state = recipe.start()
    for n in range(600):
        state.update(closed(n, 100.1, 100.1, 100.1, 100.1, timeframe="1h"))
        for output in recipe.OUTPUTS:
            value = getattr(state, output)
            assert value is None or isfinite(value)


@pytest.mark.parametrize("price", [1e-8, 1.0, 1e9])
@pytest.mark.parametrize("name", EVERY)
def test_any_price_gives_finite_numbers(name: str, price: float) -> None:
    """Tiny and huge prices, jumps and quiet stretches leave every value and level finite."""
    recipe = parse(name)
    state = recipe.start()
    for candle in walk(4, 600, offset=price, step=price / 1000):
        state.update(candle)
        numbers = [getattr(state, output) for output in recipe.OUTPUTS]
        if isinstance(state, LevelState):
            numbers += [level.price for level in state.levels]
            numbers += [border for zone in state.zones for border in (zone.low, zone.high)]
        assert all(number is None or isfinite(number) for number in numbers)


# What measures distances must give the same wherever the prices are.
DISTANCES = {
    "atr:14": ("value",),
    "adx:14": ("value", "plus", "minus"),
    "rsi:14": ("value",),
    "stochastic:14:3:3": ("k", "d"),
    "macd:12:26:9": ("line", "signal", "histogram"),
}


@pytest.mark.parametrize("name", DISTANCES)
def test_huge_offset_changes_no_distance(name: str) -> None:
    """Prices moved up by 2**30, which floats of eighths hold exactly, have the same distances."""
    near, far = parse(name).start(), parse(name).start()
    for candle in walk(5, 800):
        parts = [round(8 * getattr(candle, p)) / 8 for p in ("open", "high", "low", "close")]
        near.update(closed(candle.pos, *parts))
        far.update(closed(candle.pos, *(part + 2**30 for part in parts)))
        for output in DISTANCES[name]:
            assert getattr(far, output) == pytest.approx(getattr(near, output), abs=1e-5)


def test_huge_offset_keeps_the_width_of_bollinger_bands() -> None:
    """Bands around prices moved up by 2**30 are as wide, where a sum of squares has no digit."""
    near, far = (BollingerState(Bollinger()) for _ in range(2))
    for candle in walk(6, 800):
        price = round(8 * candle.close) / 8
        near.update(closed(candle.pos, *[price] * 4))
        far.update(closed(candle.pos, *[price + 2**30] * 4))
        if near.upper is not None and near.lower is not None:
            assert far.upper is not None
            assert far.lower is not None
            assert far.upper - far.lower == pytest.approx(near.upper - near.lower, abs=1e-5)


@pytest.mark.parametrize("name", [name for name in EVERY if name.startswith(("swing", "donchian"))])
def test_levels_end_before_they_are_gone(name: str) -> None:
    """A level that is no longer listed was told as ended by the same candle, and no other was."""
    state = parse(name).start()
    assert isinstance(state, LevelState)
    before: set[str] = set()
    for candle in walk(7, 1000):
        state.update(candle)
        now = {level.ref for level in state.levels}
        assert {ended.ref for ended in state.ended} == before - now
        before = now


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rsx:14", "unknown indicator or level 'rsx:14'; known: adx, atr"),
        ("rsi:0", f"rsi: length must be from 1 to {PARAMETER_MAX}, got 0"),
        ("rsi:14.5", "rsi: length must be a whole number, got '14.5'"),
        ("rsi:14:2", r"rsi takes these parameters: length; got \['14', '2'\]"),
        ("bollinger:20:nan", f"bollinger: deviations must be above 0 and up to {PARAMETER_MAX}"),
        ("bollinger:20:-1", f"bollinger: deviations must be above 0 and up to {PARAMETER_MAX}"),
        ("sma:1000000", f"sma: length must be from 1 to {PARAMETER_MAX}, got 1000000"),
        ("macd:26:12:9", "macd:26:12:9: fast must be below slow"),
        ("vwap:3", "vwap takes these parameters: none"),
    ],
)
def test_bad_recipes_are_named(text: str, complaint: str) -> None:
    """A text that is no recipe gets one sentence that names it and what would do."""
    with pytest.raises(RecipeError, match=complaint):
        parse(text)


def test_correlation_says_what_it_is_of() -> None:
    """A window of one, or anything but returns or prices, is refused."""
    with pytest.raises(RecipeError, match="length must be from 2"):
        Correlation("VIX", 1)
    with pytest.raises(RecipeError, match="say returns or prices"):
        Correlation("VIX", 50, "levels")  # type: ignore[arg-type]
