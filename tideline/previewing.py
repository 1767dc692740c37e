"""The past through the live machines, for a preview: candles, what the rules look at, signals."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from services.indicators.domain.catalogue import CATALOGUE, parse
from services.indicators.domain.defaults import recipes as everybodys
from services.indicators.domain.levels.base import LevelRecipe
from services.indicators.domain.recipe import Recipe, RecipeError
from services.indicators.domain.stage import Recipes, stage
from services.indicators.settings import IndicatorsSettings
from services.ingest.adapters.feeds.base import FeedError
from services.ingest.adapters.feeds.file.feed import FileFeed
from services.ingest.adapters.feeds.file.reading import Defaults
from services.ingest.adapters.sources import instruments
from services.ingest.domain.candles import CandlesStep
from services.ingest.domain.spine import SpineWriter
from services.ingest.settings import IngestSettings
from services.signals.domain.bodies import tables_in
from services.signals.domain.preview import Preview, Report
from services.signals.domain.rules import RuleSet
from shared.clock import SystemClock
from shared.events import DeadLetter, Event
from shared.market.timeframes import TIMEFRAMES, Timeframe

_NAMES = ("levels", "zones")


class Wanted(Protocol):
    """What of a file is to be played."""

    @property
    def symbol(self) -> str: ...
    @property
    def since(self) -> int | None: ...
    @property
    def until(self) -> int | None: ...
    @property
    def horizon(self) -> Timeframe | None: ...
    @property
    def timeframe(self) -> str | None: ...


async def play_file(rule_set: RuleSet, path: Path, wanted: Wanted) -> Report:
    """What the rules would have done on a recording, all of which is played.

    Raises:
        FeedError: the file is no recording, or does not hold the symbol.
        SettingsError: the instrument file of the settings is wrong.
    """
    preview = Preview(rule_set, wanted.symbol, wanted.since or 0, wanted.until, wanted.horizon)
    table = instruments(IngestSettings.load().ingest)
    defaults = Defaults(wanted.symbol, wanted.timeframe)
    feed = FileFeed(path, table, SystemClock(), None, defaults)
    there = await feed.symbols()
    if wanted.symbol not in there:
        raise FeedError(f"{path} holds {', '.join(there)}, not {wanted.symbol}")
    section = IndicatorsSettings.load().indicators
    chain = Chain(preview, rule_set, everybodys(section.every, section.extra))
    writer = SpineWriter(table, {})
    symbols = [symbol for symbol in there if symbol in {wanted.symbol, *preview.others}]
    async for items in feed.stream(symbols, {}):
        entries = writer.process(items)
        chain.play(entry for entry in entries if not isinstance(entry, DeadLetter))
    return preview.report()


class Chain:
    """Spine entries through candles and indicators into a preview.

    Values are computed only where the rules name them. Levels are all computed: where a provider
    gave candles and no ticks, the price is taken to pass each of them on its way.
    """

    def __init__(self, preview: Preview, rule_set: RuleSet, everybody: Recipes) -> None:
        self._preview = preview
        recipes = needed(rule_set, everybody)
        self._candles = CandlesStep({})
        self._indicators = stage(recipes).restore({})

    def play(self, spine: Iterable[Event]) -> None:
        """Take the next entries of one partition's spine.

        Raises:
            ValueError: an entry cannot be decided.
        """
        events: list[Event] = []
        for entry in spine:
            closed = self._candles.process([entry])
            if closed:
                events += self._indicators.process(closed)
            events.append(entry)
        self._preview.play(events)


def frames(rule_set: RuleSet) -> set[Timeframe]:
    """Every timeframe that a rule of the set looks at."""
    return {
        timeframe
        for part in tables_in(rule_set.body)
        for timeframe in TIMEFRAMES
        if part.get("timeframe") == timeframe
    }


def needed(rule_set: RuleSet, everybody: Recipes) -> dict[Timeframe, tuple[Recipe, ...]]:
    """Everybody's levels, and the values that the rules name, of everybody's and any others."""
    found: dict[Timeframe, tuple[Recipe, ...]] = dict.fromkeys(TIMEFRAMES, ())
    looked_at, wanted = frames(rule_set), [*_wanted(rule_set)]
    known = {recipe.name for one in TIMEFRAMES for recipe in everybody[one]}
    for timeframe in TIMEFRAMES:
        named = {
            recipe.name: recipe
            for recipe in everybody[timeframe]
            if isinstance(recipe, LevelRecipe) or any(_matches(recipe.key, name) for name in wanted)
        }
        for recipe in filter(None, map(_recipe, wanted)):
            if timeframe in looked_at and recipe.name not in known:
                named[recipe.name] = recipe
        found[timeframe] = tuple(named.values())
    return found


def _wanted(rule_set: RuleSet) -> Iterator[str]:
    for part in tables_in(rule_set.body):
        for field in _NAMES:
            yield from part.get(field, ())
        if part.get("kind") in ("value", "level", "zone") and isinstance(part.get("name"), str):
            yield part["name"]


def _matches(key: str, name: str) -> bool:
    """Whether a recipe of this key can give what a name or pattern means."""
    head = name.partition("*")[0]
    return head.startswith(key) if len(head) > len(key) else key.startswith(head)


def _recipe(name: str) -> Recipe | None:
    """The recipe that a value's or level's full name begins with, None if it is a pattern's."""
    text = name.partition("*")[0]
    while text:
        if text.partition(":")[0] in CATALOGUE:
            try:
                return parse(text)
            except RecipeError:
                pass
        text = text.rpartition(".")[0]
    return None
