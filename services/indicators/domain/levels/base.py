"""What every family of levels has in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from shared.events import Ended, Level, Zone
from shared.events.base import stamp
from shared.events.level import EndedBy, Side


def level(key: str, price: float, side: Side, formed_at: int, confirmed_at: int) -> Level:
    """A level of these parts."""
    return Level(key=key, price=price, side=side, formed_at=formed_at, confirmed_at=confirmed_at)


@dataclass(frozen=True, slots=True)
class LevelRecipe(Recipe):
    """A recipe whose state is a LevelState; most have no values besides."""

    OUTPUTS: ClassVar[tuple[str, ...]] = ()

    @property
    def key(self) -> str:
        """What its levels' keys begin with: the word alone, unless a parameter was set."""
        return self.WORD if self == type(self)() else self.name

    def start(self) -> "LevelState":
        raise NotImplementedError


class LevelState(State):
    """A family's memory. After each candle ``levels`` and ``zones`` are what is valid from then on.

    ``ended`` holds what the last candle took out of them. An update calls ``refresh`` where it
    changed any of this; levels and zones are built only then, and only when they are asked for.
    """

    __slots__ = ("_levels", "_zones", "ended")

    def __init__(self) -> None:
        self.ended: list[Ended] = []
        self._levels: tuple[Level, ...] | None = None
        self._zones: tuple[Zone, ...] | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """The valid levels."""
        if self._levels is None:
            self._levels = tuple(self.build_levels())
        return self._levels

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The open zones."""
        if self._zones is None:
            self._zones = tuple(self.build_zones())
        return self._zones

    def build_levels(self) -> list[Level]:
        """The valid levels out of the memory."""
        return []

    def build_zones(self) -> list[Zone]:
        """The open zones out of the memory."""
        return []

    def refresh(self) -> None:
        """To be called after a change of the memory: what follows from it is derived anew."""
        self._levels = self._zones = None

    def end(self, key: str, formed_at: int, by: EndedBy) -> None:
        """Tell that a level or zone is over."""
        self.ended.append(Ended(ref=f"{key}@{stamp(formed_at)}", by=by))

    def end_all(self, by: EndedBy) -> None:
        """Tell that every valid level is over."""
        self.ended += [Ended(ref=level.ref, by=by) for level in self.levels]

    def restore(self, saved: Sequence[Any]) -> Self:
        super().restore(saved)
        self.refresh()
        return self
