"""Old entries and old readers: what was written once stays readable, and new schemas keep faith."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import Field, create_model

from shared.events import Event
from shared.events.base import AsJson, Name, OrUnset, Value
from shared.events.codec import PUBLIC_EVENTS, decode_one
from shared.events.schemas import (
    FOLDER,
    breaking,
    file_of,
    main,
    outdated,
    wire_schema,
    write,
)
from tests.events.entries import EVENTS, Sample, as_read, samples

Schema = dict[str, Any]


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_recorded_entries_stay_readable(sample: Sample) -> None:
    """An entry as it was once written gives its event, with its id and nothing of it lost.

    The entries are written by hand. If this fails, mend the model, never the entry: either the
    change is withdrawn, or the version is raised and the old one lifted.
    """
    event = decode_one(sample.fields)
    assert isinstance(event, Event), event
    assert event.id == sample.id
    written = as_read(event)
    now = dict(zip(written[::2], written[1::2], strict=True))
    then = dict(zip(sample.fields[::2], sample.fields[1::2], strict=True))
    if then["v"] == now["v"]:
        assert {name: now.get(name) for name in then} == then


def test_every_version_of_every_type_is_recorded() -> None:
    """A new type or version brings its entry along."""
    wanted = {f"{m.TYPE}.v{v}" for m in PUBLIC_EVENTS for v in range(1, m.VERSION + 1)}
    assert {sample.name for sample in samples()} == wanted


def test_published_schemas_are_true() -> None:
    """``docs/schemas`` holds what the models say now, and every version that there was."""
    assert outdated(FOLDER, PUBLIC_EVENTS) == []
    wanted = {f"{m.TYPE}.v{v}.json" for m in PUBLIC_EVENTS for v in range(1, m.VERSION + 1)}
    assert {path.name for path in FOLDER.iterdir()} == wanted


def complaints(schema: Schema, fields: Sequence[str]) -> Iterator[str]:
    """What a reader with nothing but the schema and JSON would object to in an entry."""
    entry = dict(zip(fields[::2], fields[1::2], strict=True))
    for error in Draft202012Validator(schema).iter_errors(entry):
        yield error.message
    for name, text in entry.items():
        field = schema["properties"][name]
        field = field.get("anyOf", [field])[-1]
        if "contentSchema" in field and text != "":
            inner = Draft202012Validator(field["contentSchema"])
            yield from (error.message for error in inner.iter_errors(json.loads(text)))


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_recorded_entries_are_what_their_schemas_say(sample: Sample) -> None:
    """A reader who knows only the published file finds every field of the entry in it."""
    schema = json.loads((FOLDER / f"{sample.name}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    assert list(complaints(schema, sample.fields)) == []


@pytest.mark.parametrize("model", PUBLIC_EVENTS, ids=lambda model: model.TYPE)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_whatever_is_written_keeps_to_its_schema(model: type[Event], data: st.DataObject) -> None:
    """No event that a model allows surprises a reader of its schema."""
    event = data.draw(EVENTS[model])
    assert list(complaints(wire_schema(model), as_read(event))) == []


@pytest.mark.parametrize(
    ("name", "field", "text", "complaint"),
    [
        ("tick.v1", "price", "-1.0", "-1.0 is less than or equal to the minimum of 0"),
        ("tick.v1", "n", '"3"', "'3' is not of type 'integer'"),
        ("tick.v1", "symbol", "A:B", "'A:B' does not match"),
        ("tick.v1", "v", "2", "'1' was expected"),
        ("candle_closed.v1", "timeframe", "2m", "'2m' is not one of ['1m',"),
        ("signal_generated.v1", "gap", "true", "'true' is not one of ['0', '1']"),
        ("signal_generated.v1", "expires_at", "-1", "-1 is less than the minimum of 0"),
        ("close.v1", "windows", '[{"timeframe":"1m"}]', "'open_at' is a required property"),
    ],
)
def test_schemas_know_bad_values(name: str, field: str, text: str, complaint: str) -> None:
    """A schema that allows everything would be true as well: these it must refuse."""
    (sample,) = (one for one in samples() if one.name == name)
    fields = list(sample.fields)
    fields[fields.index(field) + 1] = text
    schema = json.loads((FOLDER / f"{name}.json").read_bytes())
    (found,) = complaints(schema, fields)
    assert found.startswith(complaint)


class Stop(Value):
    """A nested value."""

    name: Name


class LongerStop(Value):
    """The same with a field more that may be missing."""

    name: Name
    lift: bool = False


class StricterStop(Value):
    """The same with a field more that must be there."""

    name: Name
    lift: bool


Zone = Literal["inner", "outer"]
FARE: dict[str, Any] = {
    "price": (Annotated[int, Field(ge=0, le=9)], ...),
    "zone": (Zone, ...),
    "stops": (Annotated[tuple[Stop, ...], AsJson], ...),
    "until": (Annotated[int | None, OrUnset], ...),
}


def fare(version: int = 1, **changed: Any) -> type[Event]:
    """A model of fares, with fields changed, added, or (None) taken away."""
    fields = {name: kind for name, kind in (FARE | changed).items() if kind is not None}
    model = create_model("Fare", __base__=Event, **fields)
    model.TYPE, model.TOPIC, model.VERSION = "fare", "fares", version
    return model


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"zone": None}, ["zone: is gone"]),
        ({"zone": None, "area": (Zone, ...)}, ["zone: is gone", "area: is required now"]),
        ({"class_": (int, ...)}, ["class_: is required now"]),
        ({"until": (int, ...)}, ["until: anyOf was"]),
        ({"zone": (Literal["inner"], ...)}, ["zone: "]),
        ({"price": (Annotated[int, Field(ge=1, le=9)], ...)}, ["price: minimum was 0 and is 1"]),
        ({"price": (Annotated[int, Field(ge=0, le=8)], ...)}, ["price: maximum was 9 and is 8"]),
        ({"price": (Annotated[str, Field()], ...)}, ["price: "]),
        ({"stops": (Annotated[tuple[Name, ...], AsJson], ...)}, ["stops: "]),
        (
            {"stops": (Annotated[tuple[StricterStop, ...], AsJson], ...)},
            ["stops.lift: is required now"],
        ),
        (
            {"until": (Annotated[Annotated[int, Field(ge=3)] | None, OrUnset], ...)},
            ["until: minimum was None and is 3"],
        ),
    ],
)
def test_a_change_that_breaks_readers_needs_a_version(
    tmp_path: Path, changed: dict[str, Any], why: list[str]
) -> None:
    """It is named, and the schema of the version is not written over."""
    write(tmp_path, [fare()])
    before = file_of(fare(), tmp_path).read_bytes()
    found = breaking(tmp_path, [fare(**changed)])
    for line in why:
        assert any(one.startswith(f"fare.v1.json: {line}") for one in found), found
    with pytest.raises(ValueError, match=r"breaks readers; raise Fare.VERSION and lift version 1"):
        write(tmp_path, [fare(**changed)])
    assert file_of(fare(), tmp_path).read_bytes() == before
    write(tmp_path, [fare(version=2, **changed)])
    assert {path.name for path in tmp_path.iterdir()} == {"fare.v1.json", "fare.v2.json"}


@pytest.mark.parametrize(
    "changed",
    [
        {"class_": (int, 2)},
        {"zone": (Literal["inner", "outer", "beyond"], ...)},
        {"price": (Annotated[int, Field(ge=-1, le=10)], ...)},
        {"price": (Annotated[int, Field(le=9)], ...)},
        {"price": (Annotated[int, Field(ge=0, le=9, description="in cents")], ...)},
        {"stops": (Annotated[tuple[LongerStop, ...], AsJson], ...)},
    ],
)
def test_a_change_that_readers_survive_needs_none(tmp_path: Path, changed: dict[str, Any]) -> None:
    """More values, looser bounds, fields that may be missing, and words."""
    write(tmp_path, [fare()])
    assert outdated(tmp_path, [fare(**changed)]) == ["fare.v1.json is not true to Fare any more"]
    write(tmp_path, [fare(**changed)])
    assert outdated(tmp_path, [fare(**changed)]) == []


def test_a_missing_schema_is_named(tmp_path: Path) -> None:
    """A new type is noticed before anybody writes it to a log."""
    assert outdated(tmp_path, [fare()]) == ["fare.v1.json is missing"]


def test_the_command_tells_how_it_is_called() -> None:
    """Anything but --write gets one line, and nothing is said where all is well."""
    assert main(["--wrote"]) == "usage: python -m shared.events.schemas [--write]"
    assert main([]) == ""
