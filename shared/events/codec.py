"""From stream entries to events, in batches, with every bad entry named."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.events.alert import AlertFired
from shared.events.base import Event
from shared.events.candle import CandleClosed
from shared.events.control import ConfigPassed, ConfigRequested, DeadLetter, Watermark
from shared.events.level import LevelComputed
from shared.events.ops import Ops
from shared.events.signal import SignalGenerated
from shared.events.spine import CandleIn, Close, Config, Gap, Heartbeat, Source, Tick
from shared.events.ticks import Ticks

PUBLIC_EVENTS: tuple[type[Event], ...] = (
    Tick,
    Close,
    CandleIn,
    Config,
    Source,
    Gap,
    Heartbeat,
    CandleClosed,
    ConfigPassed,
    LevelComputed,
    SignalGenerated,
    AlertFired,
    Ops,
    Watermark,
    ConfigRequested,
    DeadLetter,
)
_types: dict[str, type[Event]] = {model.TYPE: model for model in PUBLIC_EVENTS}

# Fewer are not worth turning into columns.
_RUN_MIN = 4

RawEntry = tuple[str, Sequence[str]]
"""A stream entry: its id and the flat list of field names and values."""


@dataclass(frozen=True, slots=True)
class Poison:
    """An entry that is no event, and why."""

    fields: tuple[str, ...]
    reason: str


Decoded = tuple[str, Event | Poison]


def register(model: type[Event]) -> type[Event]:
    """Make a service's own event type decodable; a class decorator.

    Raises:
        ValueError: another model has that type name.
    """
    if _types.setdefault(model.TYPE, model) is not model:
        raise ValueError(f"event type {model.TYPE} is taken by {_types[model.TYPE].__name__}")
    return model


def event_types(topic: str) -> list[type[Event]]:
    """Every event type that is written to a topic."""
    return [model for model in _types.values() if topic == model.TOPIC]


def decode(entries: Iterable[RawEntry]) -> list[Decoded]:
    """Validate entries, a run of one type at a time; a bad entry becomes a Poison in its place."""
    decoded: list[Decoded] = []
    for ids, events in _parts(list(entries)):
        decoded += zip(ids, events, strict=True)
    return decoded


Part = tuple[list[str], Ticks | list[Event | Poison]]
"""Entries one after the other: their ids, and what they are."""


def decode_parts(entries: Sequence[RawEntry]) -> list[Part]:
    """As ``decode``, but each run of ticks stays in columns; the parts are in order."""
    parts: list[Part] = []
    for part in _parts(entries):
        if parts and isinstance(part[1], list) and isinstance(parts[-1][1], list):
            parts[-1][0].extend(part[0])
            parts[-1][1].extend(part[1])
        else:
            parts.append(part)
    return parts


def _parts(entries: Sequence[RawEntry]) -> Iterator[Part]:
    ticks = _ticks(entries)
    if ticks is not None:
        yield [entry[0] for entry in entries], ticks
        return
    for head, grouped in groupby(entries, key=_head):
        run = list(grouped)
        ticks = _ticks(run)
        events = [event for _, event in _decode_run(head, run)] if ticks is None else ticks
        yield [entry[0] for entry in run], events


def decode_one(fields: Sequence[str]) -> Event | Poison:
    """One entry's event."""
    return decode([("", fields)])[0][1]


def _head(entry: RawEntry) -> tuple[str, ...]:
    return tuple(entry[1][:4])


def _ticks(run: Sequence[RawEntry]) -> Ticks | None:
    """The quick way, for a run of nothing but ticks that are as we write them; None otherwise."""
    if len(run) < _RUN_MIN or Tick.TYPE not in run[0][1][1:2]:
        return None
    return Ticks.read([fields for _, fields in run])


def _decode_run(head: tuple[str, ...], run: list[RawEntry]) -> list[Decoded]:
    model = _types.get(head[1]) if len(head) == 4 and head[0] == "type" else None
    if model is None or head[2] != "v":
        reason = _unreadable(head)
        return [(entry_id, Poison(tuple(fields), reason)) for entry_id, fields in run]
    if head[3] != str(model.VERSION):
        return [(entry_id, _decode_other(model, head[3], fields)) for entry_id, fields in run]
    rows = [_named(fields) for _, fields in run]
    try:
        events = _adapter(model).validate_python(rows, extra="ignore")
    except ValidationError:
        return [(entry_id, _decode_row(model, fields)) for entry_id, fields in run]
    return [(entry[0], event) for entry, event in zip(run, events, strict=True)]


def _named(fields: Sequence[str]) -> dict[str, str]:
    return dict(zip(fields[4::2], fields[5::2], strict=False))


def _decode_row(model: type[Event], fields: Sequence[str]) -> Event | Poison:
    try:
        return model.parse(_named(fields))
    except ValidationError as error:
        return Poison(tuple(fields), f"{model.TYPE}: {first_reason(error)}")


def _decode_other(model: type[Event], version: str, fields: Sequence[str]) -> Event | Poison:
    """An entry of another version: an older one is lifted, a newer one is not for this reader."""
    older = [str(number) for number in range(1, model.VERSION)]
    try:
        if version not in older:
            raise ValueError(f"{model.TYPE} version {version!r} cannot be read, {_readable(model)}")
        return model.parse(model.lift(int(version), _named(fields)))
    except ValidationError as error:
        return Poison(tuple(fields), f"{model.TYPE} version {version}: {first_reason(error)}")
    except ValueError as error:
        return Poison(tuple(fields), str(error))


def _readable(model: type[Event]) -> str:
    return "only 1" if model.VERSION == 1 else f"only 1 to {model.VERSION}"


def _unreadable(head: tuple[str, ...]) -> str:
    if len(head) < 4 or head[0] != "type" or head[2] != "v":
        return "not an event: the first two fields must be type and v"
    return f"unknown event type {head[1]!r}"


def first_reason(error: ValidationError) -> str:
    """The first complaint of a validation error, in one line that names the field."""
    complaint = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in complaint["loc"])
    message = complaint["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


@cache
def _adapter(model: type[Event]) -> TypeAdapter[Any]:
    return TypeAdapter(list[model])  # type: ignore[valid-type]
