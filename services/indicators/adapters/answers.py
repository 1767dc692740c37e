"""Answers about a chart's indicators, put together from the stage's checkpoint and the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.indicators.adapters.checkpoints import Checkpoints, Known
from services.indicators.adapters.past import Past
from services.indicators.domain.board import Board
from services.indicators.domain.levels.base import LevelState
from services.indicators.domain.recipe import Recipe
from shared.events import Level, LevelComputed, Zone
from shared.market.timeframes import Timeframe

Status = Literal["ready", "warming_up", "not_subscribed"]
Asked = Mapping[str, Recipe]
"""Recipes by the names that the caller used."""


@dataclass(frozen=True, slots=True)
class OpenZone:
    """A price range in force."""

    key: str
    low: float
    high: float
    side: str
    status: str
    formed_at: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One indicator: its own name, whether it has values, and those it has, by name.

    A value that does not exist yet is null. Families of levels have the price of each of their
    levels (of levels alike, of the one that formed last) and their open zones; those of them that
    have no values besides are always ready, and empty where there is none at the moment.
    """

    name: str
    status: Status
    values: dict[str, float | None]
    zones: list[OpenZone]


@dataclass(frozen=True, slots=True)
class Values:
    """Indicators after one candle, which ended at ``at``; the next price may change all of a
    ``provisional`` answer, and nothing of any other."""

    symbol: str
    timeframe: Timeframe
    at: int
    close: float | None
    provisional: bool
    indicators: dict[str, Answer]


@dataclass(frozen=True, slots=True)
class Chart:
    """Where to look."""

    symbol: str
    timeframe: Timeframe


class Answers:
    """Reads what the stage has committed; nothing of it is computed anew."""

    def __init__(self, checkpoints: Checkpoints, past: Past) -> None:
        self._checkpoints = checkpoints
        self._past = past

    async def newest(self, chart: Chart, asked: Asked) -> Values | None:
        """After the last closed candle; None if none has closed."""
        board = await self._board(chart)
        if board is None:
            return None
        found = {word: _of_board(board, recipe) for word, recipe in asked.items()}
        return Values(chart.symbol, chart.timeframe, board.at, None, False, found)

    async def provisional(self, chart: Chart, asked: Asked) -> Values | None:
        """As if the forming candle closed as it stands; None if none is forming."""
        board = await self._board(chart)
        candle = await self._checkpoints.forming(chart.symbol, chart.timeframe)
        if board is None or candle is None or candle.at <= board.at:
            return None
        peek = board.peek(candle)
        found = {word: _of_reading(peek.reading, recipe) for word, recipe in asked.items()}
        return Values(
            chart.symbol, chart.timeframe, candle.at, candle.close, peek.provisional, found
        )

    async def published(
        self, chart: Chart, asked: Asked, before: int | None, count: int
    ) -> list[Values]:
        """After each of the last closed candles that ended before a time, newest first."""
        found: list[Values] = []
        async for reading in self._past.readings((chart.symbol, chart.timeframe), before):
            if not found or reading.at < found[-1].at:
                answers = {word: _of_reading(reading, recipe) for word, recipe in asked.items()}
                found.append(
                    Values(
                        chart.symbol,
                        chart.timeframe,
                        reading.at,
                        reading.candle.close,
                        False,
                        answers,
                    )
                )
            if len(found) == count:
                break
        return found

    async def known(self, symbol: str) -> Known:
        """The stage's saved state of a symbol."""
        return await self._checkpoints.known(symbol)

    async def symbols(self) -> list[str]:
        """Every symbol that has had a price."""
        return await self._checkpoints.symbols()

    async def _board(self, chart: Chart) -> Board | None:
        return (await self._checkpoints.known(chart.symbol)).boards.get(chart.timeframe)


def status_of(board: Board | None, recipe: Recipe) -> Status:
    """Whether a board has values of a recipe; where there is no board yet, all warm up."""
    return "warming_up" if board is None else _of_board(board, recipe).status


def _of_board(board: Board, recipe: Recipe) -> Answer:
    state = board.states.get(recipe.name)
    if state is None:
        return _unknown(recipe)
    values = {_key(recipe, output): getattr(state, output) for output in recipe.OUTPUTS}
    waits = recipe.name in board.pending
    if not isinstance(state, LevelState):
        return _answer(recipe, values, (), (), waits=waits)
    return _answer(recipe, values, state.levels, state.zones, waits=waits)


def _of_reading(reading: LevelComputed, recipe: Recipe) -> Answer:
    known = {*reading.values, *reading.unready}
    names = [name for output in recipe.OUTPUTS if (name := _key(recipe, output)) in known]
    if recipe.OUTPUTS and not names:
        return _unknown(recipe)
    values = {name: reading.values.get(name) for name in names}
    levels = [level for level in reading.levels if _is_of(recipe, level.key)]
    zones = [zone for zone in reading.zones if _is_of(recipe, zone.key)]
    return _answer(recipe, values, levels, zones)


def _answer(
    recipe: Recipe,
    values: Mapping[str, float | None],
    levels: Sequence[Level],
    zones: Sequence[Zone],
    *,
    waits: bool = False,
) -> Answer:
    has_some = not values or any(value is not None for value in values.values())
    ordered = sorted(levels, key=lambda level: level.formed_at)
    return Answer(
        recipe.name,
        "ready" if has_some and not waits else "warming_up",
        {**values, **{level.key: level.price for level in ordered}},
        [
            OpenZone(zone.key, zone.low, zone.high, zone.side, zone.status, zone.formed_at)
            for zone in zones
        ],
    )


def _unknown(recipe: Recipe) -> Answer:
    return Answer(recipe.name, "not_subscribed", {}, [])


def _is_of(recipe: Recipe, key: str) -> bool:
    return key == recipe.key or key.startswith(f"{recipe.key}.")


def _key(recipe: Recipe, output: str) -> str:
    return recipe.key if output == "value" else f"{recipe.key}.{output}"
