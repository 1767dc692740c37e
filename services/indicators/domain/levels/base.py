"""What every family of levels has in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from shared.events import Ended, Level, Zone
from shared.events.base import stamp
from shared.events.level import EndedBy, Side
from shared.events.trusted import trusted

_LEVEL = tuple(Level.model_fields)
_ZONE = tuple(Zone.model_fields)


def level(key: str, price: float, side: Side, formed_at: int, confirmed_at: int) -> Level:
    """A level of known good parts."""
    fields = {
        "key": key,
        "price": price,
        "side": side,
        "formed_at": formed_at,
        "confirmed_at": confirmed_at,
    }
    return trusted(Level, fields)


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
    """A family's memory, of which its ``levels`` and ``zones`` are a part.

    After each candle these are what is valid from then on. An update first empties ``gone``, then
    puts there what the candle ended: key, formed at, and how.
    """

    __slots__ = ("gone", "levels", "zones")

    def __init__(self) -> None:
        self.gone: list[tuple[str, int, EndedBy]] = []
        self.levels: tuple[Level, ...] = ()
        self.zones: tuple[Zone, ...] = ()

    @property
    def ended(self) -> tuple[Ended, ...]:
        """What the last candle took out of levels and zones."""
        return tuple(
            trusted(Ended, {"ref": f"{key}@{stamp(formed_at)}", "by": by})
            for key, formed_at, by in self.gone
        )

    def derive(self) -> None:
        """Set what follows from the saved slots; called after a restore."""

    def memory(self) -> Sequence[Any]:
        levels = [tuple(one.__dict__.values()) for one in self.levels]
        zones = [tuple(one.__dict__.values()) for one in self.zones]
        return (levels, zones, super().memory())

    def restore(self, saved: Sequence[Any]) -> Self:
        levels, zones, rest = saved
        self.levels = tuple(
            trusted(Level, dict(zip(_LEVEL, parts, strict=True))) for parts in levels
        )
        self.zones = tuple(trusted(Zone, dict(zip(_ZONE, parts, strict=True))) for parts in zones)
        super().restore(rest)
        self.derive()
        return self
