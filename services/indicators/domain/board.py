"""A board: everything that is computed for one symbol and timeframe."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from services.indicators.domain.levels.base import LevelState
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from shared.events import Candle, CandleClosed, Ended, Level, LevelComputed, Zone
from shared.events.trusted import trusted

_COPIED = ("symbol", "at", "pos", "timeframe", "session_at", "origin")
_PRICES = tuple(Candle.model_fields)

TAIL_MAX = 64
"""Candles that are kept for a recipe whose past is on its way."""

Saved = Mapping[str, Any]
"""A board's memory as JSON: the last candle's end under ``at``, how far recipes that were added
later have caught up under ``late``, what recipes wait for under ``pending``, then a list per
recipe."""

Pending = tuple[int, list[CandleClosed]]
"""The last candle before a recipe was asked for, by its end, and those that came since."""


@dataclass(frozen=True, slots=True)
class Peek:
    """A reading of a candle that is still forming: the next price may change all of it."""

    reading: LevelComputed
    provisional: bool = True


class Board:
    """The states of a set of recipes, and the end of the last candle they have seen.

    A recipe that the saved memory does not know starts empty. Until the next new candle it can
    catch up on old ones, which are given again to it alone. One that was subscribed is given its
    past with ``warm``; where that ends too early, it is ``pending``: it has no values, and the
    candles that come are kept for it until its past is given again, up to them.
    """

    __slots__ = ("at", "families", "late", "outputs", "pending", "running", "states")

    def __init__(self, recipes: Sequence[Recipe], saved: Saved) -> None:
        self.at: int = saved.get("at", 0)
        self.states: dict[str, State] = {recipe.name: recipe.start() for recipe in recipes}
        self.late: dict[str, int] = saved.get("late", {})
        self.pending: dict[str, Pending] = {
            name: (since, [CandleClosed.model_validate(one) for one in tail])
            for name, (since, tail) in saved.get("pending", {}).items()
            if name in self.states
        }
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
        self.running = self._running()

    def update(self, candle: CandleClosed) -> None:
        """Take the next closed candle."""
        for state in self.running:
            state.update(candle)
        self.at = candle.at
        if self.late:
            self.late = {}
        if self.pending:
            self._keep(candle)

    def warm(self, names: Iterable[str], past: Sequence[CandleClosed]) -> None:
        """Give recipes that were added their past, oldest first; those that run are left alone."""
        known = [candle for candle in past if candle.at <= self.at]
        for name in names:
            self.late.pop(name, None)
            since, tail = self.pending.pop(name, (self.at, []))
            if known and known[-1].at < since:
                self.pending[name] = (since, tail)
                continue
            reached = known[-1].at if known else 0
            self._start(name, [*known, *(candle for candle in tail if candle.at > reached)])
        self.running = self._running()

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
        memory = {"at": self.at, "late": self.late, **self.states}
        if self.pending:
            memory["pending"] = {
                name: (since, [candle.model_dump() for candle in tail])
                for name, (since, tail) in self.pending.items()
            }
        return memory

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
        had = candle.__dict__
        fields = {name: had[name] for name in _COPIED}
        fields["candle"] = trusted(Candle, {name: had[name] for name in _PRICES})
        fields["levels"] = levels
        fields["values"] = values
        fields["zones"] = zones
        fields["ended"] = ended
        fields["unready"] = tuple(unready)
        fields["cause"] = candle.id
        return trusted(LevelComputed, fields)

    def _running(self) -> list[State]:
        return [state for name, state in self.states.items() if name not in self.pending]

    def _start(self, name: str, candles: Sequence[CandleClosed]) -> None:
        for candle in candles:
            self.states[name].update(candle)

    def _keep(self, candle: CandleClosed) -> None:
        """Keep the candle for recipes that wait; whoever has waited too long begins with these."""
        for name, (_, tail) in list(self.pending.items()):
            tail.append(candle)
            if len(tail) > TAIL_MAX:
                del self.pending[name]
                self._start(name, tail)
                self.running = self._running()


def _value_name(recipe: Recipe, output: str) -> str:
    return recipe.key if output == "value" else f"{recipe.key}.{output}"
