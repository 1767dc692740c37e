"""A board: everything that is computed for one symbol and timeframe."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from services.indicators.domain.levels.base import LevelState
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from services.indicators.domain.trusted import trusted
from shared.events import Candle, CandleClosed, Ended, Level, LevelComputed, Zone

_COPIED = ("symbol", "at", "pos", "timeframe", "session_at", "origin")
_PRICES = tuple(Candle.model_fields)

Saved = Mapping[str, Any]
"""A board's memory as JSON: the last candle's end under ``at``, how far recipes that were added
later have caught up under ``late``, then a list per recipe."""


@dataclass(frozen=True, slots=True)
class Peek:
    """A reading of a candle that is still forming: the next price may change all of it."""

    reading: LevelComputed
    provisional: bool = True


class Board:
    """The states of a set of recipes, and the end of the last candle they have seen.

    A recipe that the saved memory does not know starts empty. Until the next new candle it can
    catch up on old ones, which are given again to it alone.
    """

    __slots__ = ("at", "families", "late", "outputs", "states")

    def __init__(self, recipes: Sequence[Recipe], saved: Saved) -> None:
        self.at: int = saved.get("at", 0)
        self.states: dict[str, State] = {recipe.name: recipe.start() for recipe in recipes}
        self.late: dict[str, int] = saved.get("late", {})
        for name, state in self.states.items():
            if name in saved:
                state.restore(saved[name])
            elif self.at:
                self.late[name] = 0
        self.families = [state for state in self.states.values() if isinstance(state, LevelState)]
        self.outputs = [
            (_value_name(recipe, output), self.states[recipe.name], output)
            for recipe in recipes
            for output in recipe.OUTPUTS
        ]

    def update(self, candle: CandleClosed) -> None:
        """Take the next closed candle."""
        for state in self.states.values():
            state.update(candle)
        self.at = candle.at
        if self.late:
            self.late = {}

    def catch_up(self, candle: CandleClosed) -> bool:
        """Give an old candle to the recipes that have not seen it; tells whether there was one."""
        behind = [name for name, at in self.late.items() if at < candle.at and name in self.states]
        for name in behind:
            self.states[name].update(candle)
            self.late[name] = candle.at
        return bool(behind)

    def peek(self, candle: CandleClosed) -> "Peek":
        """What would be read if the forming candle closed as it stands; nothing is touched."""
        board = deepcopy(self)
        board.update(candle)
        return Peek(board.reading(candle))

    def memory(self) -> dict[str, Any]:
        """What ``to_json`` writes down, to be given back as ``saved``."""
        return {"at": self.at, "late": self.late, **self.states}

    def reading(self, candle: CandleClosed) -> LevelComputed:
        """What is valid from the end of the candle that was taken last."""
        values: dict[str, float] = {}
        unready: list[str] = []
        for name, state, output in self.outputs:
            value = getattr(state, output)
            if value is None:
                unready.append(name)
            else:
                values[name] = value
        levels: tuple[Level, ...] = ()
        zones: tuple[Zone, ...] = ()
        ended: tuple[Ended, ...] = ()
        for family in self.families:
            levels += family.levels
            zones += family.zones
            if family.gone:
                ended += family.ended
        fields = {name: getattr(candle, name) for name in _COPIED}
        fields["candle"] = trusted(Candle, {name: getattr(candle, name) for name in _PRICES})
        fields["levels"] = levels
        fields["values"] = values
        fields["zones"] = zones
        fields["ended"] = ended
        fields["unready"] = tuple(unready)
        fields["cause"] = candle.id
        return trusted(LevelComputed, fields)


def _value_name(recipe: Recipe, output: str) -> str:
    return recipe.key if output == "value" else f"{recipe.key}.{output}"
