"""A board: everything that is computed for one symbol and timeframe."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.indicators.domain.levels.base import LevelState
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from shared.events import CandleClosed, Ended, Level, LevelComputed, Zone

Saved = Mapping[str, Any]
"""A board's memory as JSON values: the last candle's end under ``at``, then a list per recipe."""


class Board:
    """The states of a set of recipes, and the end of the last candle they have seen."""

    __slots__ = ("at", "families", "outputs", "states")

    def __init__(self, recipes: Sequence[Recipe], saved: Saved) -> None:
        self.at: int = saved.get("at", 0)
        self.states: dict[str, State] = {recipe.name: recipe.start() for recipe in recipes}
        for name, state in self.states.items():
            if name in saved:
                state.restore(saved[name])
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

    def snapshot(self) -> dict[str, Any]:
        """The memory, to be given back as ``saved``."""
        states = {name: state.snapshot() for name, state in self.states.items()}
        return {"at": self.at, **states}

    def reading(self, candle: CandleClosed) -> LevelComputed:
        """What is valid from the end of the candle that was taken last."""
        values = {name: getattr(state, output) for name, state, output in self.outputs}
        levels: tuple[Level, ...] = ()
        zones: tuple[Zone, ...] = ()
        ended: tuple[Ended, ...] = ()
        for family in self.families:
            levels += family.levels
            zones += family.zones
            ended += tuple(family.ended)
        return LevelComputed(
            symbol=candle.symbol,
            at=candle.at,
            pos=candle.pos,
            timeframe=candle.timeframe,
            session_at=candle.session_at,
            origin=candle.origin,
            candle=candle.candle,
            levels=levels,
            values={name: value for name, value in values.items() if value is not None},
            zones=zones,
            ended=ended,
            unready=tuple(name for name, value in values.items() if value is None),
            cause=candle.id,
        )


def _value_name(recipe: Recipe, output: str) -> str:
    return recipe.key if output == "value" else f"{recipe.key}.{output}"
