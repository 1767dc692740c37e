"""What every family of levels has in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from services.indicators.domain.trusted import trusted
from shared.events import Ended, Level, Zone
from shared.events.base import stamp
from shared.events.level import EndedBy, Side


class LevelParts(NamedTuple):
    """A level's fields."""

    key: str
    price: float
    side: Side
    formed_at: int
    confirmed_at: int


class ZoneParts(NamedTuple):
    """A zone's fields."""

    key: str
    low: float
    high: float
    side: Side
    formed_at: int
    confirmed_at: int
    status: str


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

    An update first empties ``gone``, then puts there what the candle ended, and calls ``refresh``
    where it changed what is valid. Levels and zones are built when they are asked for after that;
    those that did not change are taken over.
    """

    __slots__ = ("_levels", "_stale", "_zones", "gone")

    def __init__(self) -> None:
        self.gone: list[tuple[str, int, EndedBy]] = []
        self._levels: dict[LevelParts, Level] = {}
        self._zones: dict[ZoneParts, Zone] = {}
        self._stale = False

    @property
    def levels(self) -> tuple[Level, ...]:
        """The valid levels."""
        if self._stale:
            self._build()
        return tuple(self._levels.values())

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The open zones."""
        if self._stale:
            self._build()
        return tuple(self._zones.values())

    @property
    def ended(self) -> tuple[Ended, ...]:
        """What the last candle took out of levels and zones."""
        return tuple(
            trusted(Ended, {"ref": f"{key}@{stamp(formed_at)}", "by": by})
            for key, formed_at, by in self.gone
        )

    def level_parts(self) -> list[LevelParts]:
        """The valid levels out of the memory."""
        return []

    def zone_parts(self) -> list[ZoneParts]:
        """The open zones out of the memory."""
        return []

    def refresh(self) -> None:
        """To be called after a change of the memory: what follows from it is derived anew."""
        self._stale = True

    def end_all(self, by: EndedBy) -> None:
        """Tell that every valid level is over."""
        self.gone += [(parts.key, parts.formed_at, by) for parts in self.level_parts()]

    def restore(self, saved: Sequence[Any]) -> Self:
        super().restore(saved)
        self.refresh()
        return self

    def _build(self) -> None:
        levels, zones = self._levels, self._zones
        self._levels = {
            parts: levels.get(parts) or trusted(Level, parts._asdict())
            for parts in self.level_parts()
        }
        self._zones = {
            parts: zones.get(parts) or trusted(Zone, parts._asdict()) for parts in self.zone_parts()
        }
        self._stale = False
