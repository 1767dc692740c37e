"""The stage: closed candles of one partition in, one reading for each of them out."""

from collections.abc import Mapping, Sequence

import orjson

from services.indicators.domain.board import Board
from services.indicators.domain.defaults import recipes as default_recipes
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import to_json
from services.indicators.domain.subscribed import Subscribed, together
from shared.bus.step import StageSpec, State
from shared.events import CandleClosed, ConfigPassed, Event
from shared.events.control import INDICATORS_KIND
from shared.market.timeframes import Timeframe

Recipes = Mapping[Timeframe, Sequence[Recipe]]
Texts = Mapping[Timeframe, Sequence[str]]

# No symbol holds a colon.
_SUBSCRIBED = "@subscribed:"


def stage(recipes: Recipes) -> StageSpec:
    """The indicators stage, computing these recipes for every symbol."""
    return StageSpec(
        name="indicators",
        primary="candle_closed",
        output="level_computed",
        restore=lambda state: IndicatorsStep(recipes, state),
    )


STAGE = stage(default_recipes())


class IndicatorsStep:
    """The boards of one partition.

    A candle that is not after the last one of its board gives no reading, for what was published
    for a closed candle stays; it only lets recipes catch up that were added since. The state field
    of a symbol holds a JSON object with one board's memory per timeframe; boards are restored when
    their symbol's first candle comes. What was subscribed besides stands under ``@subscribed:``
    and the symbol.
    """

    def __init__(self, recipes: Recipes, state: State) -> None:
        self._recipes = recipes
        self._state = dict(state)
        self._boards: dict[str, dict[Timeframe, Board]] = {}
        self._subscribed: dict[str, Texts] = {
            name.removeprefix(_SUBSCRIBED): orjson.loads(self._state.pop(name))
            for name in state
            if name.startswith(_SUBSCRIBED)
        }
        self._dirty: dict[str, None] = {}
        self._resubscribed: dict[str, None] = {}

    def process(self, events: Sequence[Event]) -> list[Event]:
        """One LevelComputed for each new CandleClosed.

        Raises:
            ValueError: recipes were subscribed that there are not.
        """
        readings: list[Event] = []
        for candle in events:
            if not isinstance(candle, CandleClosed):
                if isinstance(candle, ConfigPassed) and candle.kind == INDICATORS_KIND:
                    self._subscribe(candle)
                continue
            board = self._board(candle)
            if candle.at > board.at:
                board.update(candle)
                readings.append(board.reading(candle))
                self._dirty[candle.symbol] = None
            elif board.late and board.catch_up(candle):
                self._dirty[candle.symbol] = None
        return readings

    def changes(self) -> dict[str, str]:
        changed = {symbol: self._text(symbol) for symbol in self._dirty}
        changed |= {subscribed_field(symbol): self._asked(symbol) for symbol in self._resubscribed}
        self._dirty.clear()
        self._resubscribed.clear()
        return changed

    def _board(self, candle: CandleClosed) -> Board:
        boards = self._boards_of(candle.symbol)
        board = boards.get(candle.timeframe)
        if board is None:
            board = Board(self._recipes_of(candle.symbol, candle.timeframe), {})
            boards[candle.timeframe] = board
        return board

    def _boards_of(self, symbol: str) -> dict[Timeframe, Board]:
        boards = self._boards.get(symbol)
        if boards is None:
            boards = self._boards[symbol] = self._restore(symbol)
        return boards

    def _recipes_of(self, symbol: str, timeframe: Timeframe) -> Sequence[Recipe]:
        texts = self._subscribed.get(symbol, {}).get(timeframe, ())
        defaults = self._recipes[timeframe]
        return together(defaults, texts) if texts else defaults

    def _subscribe(self, config: ConfigPassed) -> None:
        symbol, asked = config.symbol, Subscribed.read(config.symbol, config.body)
        boards = self._boards_of(symbol)
        self._subscribed[symbol] = asked.recipes
        for timeframe, board in boards.items():
            recipes = self._recipes_of(symbol, timeframe)
            kept = Board(recipes, orjson.loads(to_json(board.memory())))
            added = [name for name in kept.states if name not in board.states]
            kept.warm([*added, *kept.pending], asked.seed(symbol, timeframe))
            boards[timeframe] = kept
        self._dirty[symbol] = self._resubscribed[symbol] = None

    def _restore(self, symbol: str) -> dict[Timeframe, Board]:
        saved = orjson.loads(self._state.pop(symbol, "{}"))
        return {
            timeframe: Board(self._recipes_of(symbol, timeframe), saved[timeframe])
            for timeframe in saved
        }

    def _text(self, symbol: str) -> str:
        boards = self._boards[symbol]
        return to_json({frame: board.memory() for frame, board in boards.items()}).decode()

    def _asked(self, symbol: str) -> str:
        """What is subscribed of a symbol as JSON, empty if nothing is any more."""
        recipes = {frame: texts for frame, texts in self._subscribed[symbol].items() if texts}
        return orjson.dumps(recipes).decode() if recipes else ""


def subscribed_field(symbol: str) -> str:
    """The state field of a symbol's subscriptions: recipes by timeframe, as JSON."""
    return f"{_SUBSCRIBED}{symbol}"
