"""Price levels, and the event that carries a timeframe's whole reading after a candle."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from shared.events.base import AsJson, Event, Finite, Micros, Name, OrUnset, Value, stamp
from shared.events.candle import Candle, Origin
from shared.market.timeframes import Timeframe

Side = Literal["resistance", "support", "pivot"]
EndedBy = Literal["broken", "replaced", "expired", "filled"]


class Level(Value):
    """A price that matters.

    ``key`` names what it is (``previous_day.high``, ``pivot.classic.r1``, ``swing.high``),
    ``formed_at`` when the market made it, ``confirmed_at`` when it could first be known.
    """

    key: Name
    price: Finite
    side: Side
    formed_at: Micros
    confirmed_at: Micros

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.confirmed_at < self.formed_at:
            raise ValueError(f"level {self.key} is confirmed before it formed")
        return self

    @property
    def ref(self) -> str:
        """Tells this level from an earlier one of the same key."""
        return f"{self.key}@{stamp(self.formed_at)}"


class Zone(Value):
    """A price range that matters, open until the market has dealt with it."""

    key: Name
    low: Finite
    high: Finite
    side: Side
    formed_at: Micros
    confirmed_at: Micros
    status: Name

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"zone {self.key} has its low {self.low} above its high {self.high}")
        if self.confirmed_at < self.formed_at:
            raise ValueError(f"zone {self.key} is confirmed before it formed")
        return self

    @property
    def ref(self) -> str:
        """Tells this zone from an earlier one of the same key."""
        return f"{self.key}@{stamp(self.formed_at)}"


class Ended(Value):
    """A level or zone that the event's candle ended, and how.

    ``broken``: the candle closed beyond it. ``replaced``: a newer one of its key took its place.
    ``expired``: its period is over. ``filled``: the price has been through all of the zone.
    """

    ref: Name
    by: EndedBy


class LevelComputed(Event):
    """All that is known of a symbol and timeframe once a candle of it has closed.

    One per closed candle. It holds the candle, the levels valid from then on, indicator values by
    name and open zones; a reader needs the latest per timeframe only. ``ended`` tells what of the
    reading before this candle is gone and why; ``unready`` names the values that do not exist,
    because their indicator has not seen enough yet.
    """

    TYPE: ClassVar[str] = "level_computed"
    TOPIC: ClassVar[str] = "level_computed"

    timeframe: Timeframe
    session_at: Micros
    origin: Origin
    candle: Annotated[Candle, AsJson]
    levels: Annotated[tuple[Level, ...], AsJson]
    values: Annotated[dict[str, Finite], AsJson]
    zones: Annotated[tuple[Zone, ...], AsJson]
    ended: Annotated[tuple[Ended, ...], AsJson] = ()
    unready: Annotated[tuple[Name, ...], AsJson] = ()
    cause: Name

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.candle.at != self.at:
            raise ValueError(f"candle ends at {self.candle.at}, not with the event at {self.at}")
        return self

    @property
    def id(self) -> str:
        return f"{self.TYPE}:{self.symbol}:{self.timeframe}:{stamp(self.at)}"


MaybeMicros = Annotated[Micros | None, OrUnset]
