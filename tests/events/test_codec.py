"""The codec: entries become events in batches, and whatever is none is named, never raised."""

from typing import Any, ClassVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.events import Event, Tick
from shared.events import codec as codec_module
from shared.events.base import Name
from shared.events.codec import PUBLIC_EVENTS, Poison, decode, decode_one, event_types, register
from tests.events.entries import EVENTS, EXACT_MAX, as_read, sample, samples


def entry(name: str, **changed: str | None) -> list[str]:
    """A recorded entry's fields with some values changed, added, or (None) taken out."""
    flat = sample(name).fields
    fields: dict[str, str | None] = dict(zip(flat[::2], flat[1::2], strict=True))
    fields |= changed
    return [part for key, value in fields.items() if value is not None for part in (key, value)]


def reason(fields: list[str]) -> str:
    """Why an entry is no event."""
    found = decode_one(fields)
    assert isinstance(found, Poison), found
    assert found.fields == tuple(fields)
    return found.reason


@pytest.mark.parametrize("model", PUBLIC_EVENTS, ids=lambda model: model.TYPE)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_event_survives_the_wire(model: type[Event], data: st.DataObject) -> None:
    """Written and read back, an event is equal, has the same id and is written the same again."""
    event: Event = data.draw(EVENTS[model])
    read = decode_one(as_read(event))
    assert read == event
    assert isinstance(read, Event)
    assert read.id == event.id
    assert as_read(read) == as_read(event)
    assert float(read.at) == read.at <= EXACT_MAX


@given(st.lists(st.sampled_from(samples()), max_size=12), st.sets(st.integers(0, 11)))
@settings(max_examples=60, deadline=None)
def test_runs_of_mixed_types_keep_their_order(picked: list[Any], spoiled: set[int]) -> None:
    """Whatever types follow each other, each entry gives its own event or poison in its place."""
    entries = [
        (str(i), (*one.fields, "symbol", "{") if i in spoiled else one.fields)
        for i, one in enumerate(picked)
    ]
    assert [
        (entry_id, "poison" if isinstance(event, Poison) else event.id)
        for entry_id, event in decode(entries)
    ] == [(str(i), "poison" if i in spoiled else one.id) for i, one in enumerate(picked)]


def test_fields_may_stand_in_any_order() -> None:
    """A writer in another language need only put type and v first."""
    fields = entry("tick.v1")
    pairs = [fields[i : i + 2] for i in range(4, len(fields), 2)]
    turned = fields[:4] + [part for pair in reversed(pairs) for part in pair]
    assert decode_one(turned) == decode_one(fields)


def test_a_field_of_a_newer_writer_is_passed_over() -> None:
    """Additions within a version reach old readers without harm, inside nested values too."""
    windows = '[{"timeframe":"1m","open_at":1795166040000000,"ticks":4}]'
    close = decode_one(entry("close.v1", windows=windows, venue="XETR"))
    assert isinstance(close, Event)
    assert close.id == sample("close.v1").id


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (entry("tick.v1", price="-1"), "tick: price: Input should be greater than 0"),
        (entry("tick.v1", price="nan"), "tick: price: Input should be a finite number"),
        (entry("tick.v1", price="inf"), "tick: price: Input should be a finite number"),
        (entry("tick.v1", price=None), "tick: price: Field required"),
        (entry("tick.v1", at=str(2**53)), "tick: at: Input should be less than or equal to"),
        (entry("tick.v1", symbol="EUR:USD"), "tick: symbol: String should match pattern"),
        (entry("tick.v1", symbol=" EURUSD"), "tick: symbol: String should match pattern"),
        (entry("tick.v1", n="1.5"), "tick: n: Input should be a valid integer"),
        (entry("close.v1", windows="[{]"), "close: windows: "),
        (entry("close.v1", windows="[" * 100_000), "close: windows: "),
        (entry("close.v1", windows="[]"), "close: a close names at least one timeframe"),
        (entry("close.v1", windows='[{"timeframe":"1m"}]'), "close: windows.0.open_at: Field req"),
        (entry("candle_closed.v1", low="1.0855"), "candle_closed: impossible candle: open 1.085,"),
        (entry("level_computed.v1", values='{"rsi.14":NaN}'), "level_computed: values: "),
        (entry("signal_generated.v1", gap="perhaps"), "signal_generated: gap: Input should be a"),
        (entry("ops.v1", kind="party"), "ops: kind: Input should be 'server_start',"),
    ],
)
def test_poison_names_the_field(fields: list[str], why: str) -> None:
    """The reason says which type, which field, and what is wrong with it, in one line."""
    assert reason(fields).startswith(why)
    assert "\n" not in reason(fields)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ([], "not an event: the first two fields must be type and v"),
        (["v", "1", "type", "tick"], "not an event: the first two fields must be type and v"),
        (["type", "tick"], "not an event: the first two fields must be type and v"),
        (["type", "tick", "symbol", "A"], "not an event: the first two fields must be type and v"),
        (entry("tick.v1", type="tock"), "unknown event type 'tock'"),
        (entry("tick.v1", v="2"), "tick version '2' cannot be read, only 1"),
        (entry("tick.v1", v="0"), "tick version '0' cannot be read, only 1"),
        (entry("tick.v1", v="٣"), "tick version '٣' cannot be read, only 1"),
    ],
)
def test_what_cannot_be_an_event_says_why(fields: list[str], why: str) -> None:
    """Foreign entries, unknown types and versions have reasons of their own."""
    assert reason(fields) == why


_heads = st.sampled_from([[], *[["type", model.TYPE, "v", "1"] for model in PUBLIC_EVENTS]])
_names = st.sampled_from([*Tick.model_fields, "windows", "body", "candle", "levels", "values"])
_texts = st.text() | st.sampled_from(["", "0", "1", "1.5", "-1", "1e999", "null", "[]", "{}"])


@given(_heads, st.lists(st.tuples(_names | st.text(), _texts), max_size=9))
@settings(max_examples=200, deadline=None)
@example(["type", "config", "v", "1"], [("body", '{"a":' * 2000 + "1" + "}" * 2000)])
@example(["type", "tick", "v", "1"], [("at", "9" * 5000)])
@example(["type", "tick", "v", "9" * 5000], [])
def test_nothing_on_the_wire_can_stop_a_reader(
    head: list[str], fields: list[tuple[str, str]]
) -> None:
    """Whatever stands in an entry, reading it gives an event or a reason, and does not raise."""
    flat = [*head, *(part for pair in fields for part in pair)]
    assert isinstance(decode_one(flat), Event | Poison)


class Fare(Event):
    """A type with a past: version 1 called the price ``cost``, version 2 has a currency."""

    TYPE: ClassVar[str] = "fare"
    TOPIC: ClassVar[str] = "fares"
    VERSION: ClassVar[int] = 3

    price: int
    currency: Name
    zone: Name

    @classmethod
    def lift(cls, version: int, fields: dict[str, str]) -> dict[str, str]:
        if version == 1:
            fields = {**fields, "price": fields.get("cost", ""), "currency": "EUR"}
        return {**fields, "zone": "all"}


@pytest.fixture
def _fare_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_module, "_types", {**codec_module._types, "fare": Fare})


@pytest.mark.usefixtures("_fare_is_known")
def test_older_versions_are_lifted() -> None:
    """Entries of every earlier version stay readable, beside new ones, in their places."""
    common = ["symbol", "BUS", "at", "0", "pos", "1"]
    first = ["type", "fare", "v", "1", *common, "cost", "3"]
    second = ["type", "fare", "v", "2", *common, "price", "4", "currency", "GBP"]
    third = as_read(Fare(symbol="BUS", at=0, pos=1, price=5, currency="GBP", zone="inner"))
    read = [event for _, event in decode([("a", first), ("b", second), ("c", third)])]
    assert [(e.price, e.currency, e.zone) for e in read if isinstance(e, Fare)] == [
        (3, "EUR", "all"),
        (4, "GBP", "all"),
        (5, "GBP", "inner"),
    ]


@pytest.mark.usefixtures("_fare_is_known")
def test_an_older_entry_that_breaks_an_invariant_names_its_version() -> None:
    """Poison of an old version says which, for its fields have other names."""
    common = ["symbol", "BUS", "at", "0", "pos", "1"]
    assert reason(["type", "fare", "v", "1", *common, "cost", "a lot"]).startswith(
        "fare version 1: price: Input should be a valid integer"
    )
    assert (
        reason(["type", "fare", "v", "4", *common])
        == "fare version '4' cannot be read, only 1 to 3"
    )


def test_a_type_name_belongs_to_one_model() -> None:
    """A service cannot take the name of another's event; registering twice is harmless."""

    class Tock(Event):
        TYPE: ClassVar[str] = "tick"
        TOPIC: ClassVar[str] = "tock"

    assert register(Tick) is Tick
    with pytest.raises(ValueError, match="event type tick is taken by Tick"):
        register(Tock)


def test_the_spine_has_seven_types() -> None:
    """A topic's types can be listed; watermarks, which stand in several, belong to none."""
    assert [model.TYPE for model in event_types("tick")] == [
        "tick", "close", "candle_in", "config", "source", "gap", "heartbeat"
    ]  # fmt: skip
    assert [model.TYPE for model in event_types("candle_closed")] == [
        "candle_closed",
        "config_passed",
    ]
