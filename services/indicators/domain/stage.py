"""The stage: closed candles of one partition in, one reading for each of them out."""

from collections.abc import Mapping, Sequence

import orjson

from services.indicators.domain.board import Board
from services.indicators.domain.defaults import recipes as default_recipes
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import to_json
from shared.bus.step import StageSpec, State
from shared.events import CandleClosed, Event
from shared.market.timeframes import Timeframe

Recipes = Mapping[Timeframe, Sequence[Recipe]]


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
    their symbol's first candle comes.
    """

    def __init__(self, recipes: Recipes, state: State) -> None:
        self._recipes = recipes
        self._state = dict(state)
        self._boards: dict[str, dict[Timeframe, Board]] = {}
        self._dirty: dict[str, None] = {}

    def process(self, events: Sequence[Event]) -> list[Event]:
        """One LevelComputed for each new CandleClosed; anything else is not for this stage."""
        readings: list[Event] = []
        for candle in events:
            if not isinstance(candle, CandleClosed):
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
        self._dirty.clear()
        return changed

    def _board(self, candle: CandleClosed) -> Board:
        boards = self._boards.get(candle.symbol)
        if boards is None:
            boards = self._boards[candle.symbol] = self._restore(candle.symbol)
        board = boards.get(candle.timeframe)
        if board is None:
            board = boards[candle.timeframe] = Board(self._recipes[candle.timeframe], {})
        return board

    def _restore(self, symbol: str) -> dict[Timeframe, Board]:
        saved = orjson.loads(self._state.pop(symbol, "{}"))
        return {timeframe: Board(self._recipes[timeframe], saved[timeframe]) for timeframe in saved}

    def _text(self, symbol: str) -> str:
        boards = self._boards[symbol]
        return to_json({frame: board.memory() for frame, board in boards.items()}).decode()
