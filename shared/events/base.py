"""The common base of every event: frozen, validated when built, plain fields on the wire."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from operator import itemgetter
from typing import Annotated, Any, ClassVar, Self

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

Scalar = str | int | float

MICROS_PER_SECOND = 1_000_000
MICROS_PER_MINUTE = 60 * MICROS_PER_SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The largest whole number that is exact in JavaScript too: microseconds up to the year 2255.
_MAX_MICROS = 2**53 - 1


def _from_json_text(value: object) -> object:
    return orjson.loads(value) if isinstance(value, str) else value


def _empty_is_unset(value: object) -> object:
    return None if value == "" else value


Micros = Annotated[int, Field(ge=0, le=_MAX_MICROS, description="microseconds since 1970, UTC")]
Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Position = Annotated[int, Field(ge=0, description="place in the partition's spine, 1 is first")]
# Words separated by single spaces (NIFTY 50): no colon or brace, which ids and keys are made of.
Symbol = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\s:{}]+( [^\s:{}]+)*$")]
# Long enough for a signal id inside an alert id, short enough to bound an entry.
Name = Annotated[str, Field(min_length=1, max_length=400)]
# Field types for nested values (JSON text on the wire) and for optional scalars (empty = unset).
AsJson = BeforeValidator(_from_json_text)
OrUnset = BeforeValidator(_empty_is_unset)


class Value(BaseModel):
    """A frozen value inside an event."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(BaseModel):
    """Something that happened, told once and never changed.

    On the wire an event is a flat list of field names and values: ``type`` and ``v`` first, then
    the model's own fields in their declared order. The field set of a type never varies, so that
    Redis stores the names once per node. Nested values are JSON text, an unset value is empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]
    VERSION: ClassVar[int] = 1

    symbol: Symbol
    at: Micros
    pos: Position

    @property
    def id(self) -> str:
        """The event's readable identity, made of its content alone."""
        return f"{self.TYPE}:{self.symbol}:{stamp(self.at)}"

    def wire(self) -> list[Scalar]:
        """The flat field list that goes into a stream entry."""
        flat: list[Scalar] = ["type", self.TYPE, "v", self.VERSION]
        values = self.__dict__
        for name, encode in _encoders(type(self)):
            value = values[name]
            flat += (name, value if encode is None else encode(value))
        return flat

    @classmethod
    def parse(cls, fields: dict[str, str]) -> Self:
        """Build from wire fields of this version, without ``type`` and ``v``.

        A field that is not known is passed over: a newer writer of the same version may send it.

        Raises:
            pydantic.ValidationError: a field is missing or breaks an invariant.
        """
        return cls.model_validate(fields, extra="ignore")

    @classmethod
    def lift(cls, version: int, fields: dict[str, str]) -> dict[str, str]:
        """The wire fields of an older version as fields of this one; a type with a past overrides.

        Raises:
            ValueError: there was no such version.
        """
        raise ValueError(f"{cls.TYPE} version '{version}' cannot be read, only {cls.VERSION}")


Encoder = Callable[[Any], Scalar]


def _unset_is_empty(value: Scalar | None) -> Scalar:
    return "" if value is None else value


def _truth(value: bool) -> int:
    return int(value)


def wire_names(model: type[Event]) -> tuple[str, ...]:
    """The names of a type's own fields, in their order on the wire."""
    return tuple(model.model_fields)


def wire_values(model: type[Event], events: Iterable[Event]) -> list[Scalar]:
    """The values of the own fields of many events of one type, one event after the other."""
    names = wire_names(model)
    flat: list[Scalar] = []
    if not any(encode for _, encode in _encoders(model)):
        pick = itemgetter(*names)
        for event in events:
            flat += pick(event.__dict__)
        return flat
    for event in events:
        flat += event.wire()[5::2]
    return flat


@cache
def _encoders(model: type[Event]) -> tuple[tuple[str, Encoder | None], ...]:
    return tuple((name, _encoder(field)) for name, field in model.model_fields.items())


def _encoder(field: Any) -> Encoder | None:
    if AsJson in field.metadata:
        # Rebuild the annotated type, so that nested models are dumped by their own rules.
        dump = TypeAdapter(field.annotation).dump_json
        return lambda value: dump(value).decode()
    if OrUnset in field.metadata:
        return _unset_is_empty
    if field.annotation is bool:
        return _truth
    return None


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


@lru_cache(maxsize=256)
def stamp(at: int) -> str:
    """``2026-11-20T09:15Z``; seconds and microseconds only where they are not zero."""
    minutes, rest = divmod(at, MICROS_PER_MINUTE)
    if not rest:
        hours, minute = divmod(minutes, 60)
        day, hour = divmod(hours, 24)
        return f"{_date(day)}T{hour:02d}:{minute:02d}Z"
    moment = _EPOCH + timedelta(microseconds=at)
    if moment.microsecond:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ")


def micros(moment: datetime) -> int:
    """Exact microseconds since 1970 of an aware datetime.

    Raises:
        ValueError: the datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give one, for example UTC")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The aware UTC datetime of ``at`` microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)
