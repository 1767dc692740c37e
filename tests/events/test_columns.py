"""Ticks read by columns are the ticks that are read one by one, and so are their faults."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import Tick
from shared.events.base import Event
from shared.events.codec import Poison, decode, decode_one
from tests.events.entries import as_read, sample
from tests.events.test_wire_size import market

TICKS = [(f"{number}-0", as_read(tick)) for number, tick in enumerate(market(50))]


def test_a_batch_is_what_its_ticks_are_alone() -> None:
    """The same values of the same types, the same fields set, under the same ids."""
    batch = decode(TICKS)
    for (entry_id, event), (given_id, fields) in zip(batch, TICKS, strict=True):
        alone = decode_one(fields)
        assert (entry_id, event) == (given_id, alone)
        assert isinstance(event, Tick)
        assert isinstance(alone, Tick)
        assert repr(event) == repr(alone)
        assert event.model_fields_set == alone.model_fields_set
        assert event.model_dump_json() == alone.model_dump_json()


def test_events_of_a_batch_can_be_copied_and_compared() -> None:
    """They are whole models, not look-alikes."""
    first, second = (event for _, event in decode(TICKS)[:2])
    assert isinstance(first, Event)
    assert first != second
    assert first.model_copy(update={"pos": 7}).pos == 7
    assert hash(first) == hash(decode(TICKS)[0][1])


_VALUES = (
    "",
    "0",
    "1",
    " 1",
    "1.0",
    "1.5",
    "-1",
    "1e3",
    "1e999",
    "nan",
    "inf",
    "+1",
    "0x10",
    "1_0",
)
_WORDS = ("A", "A B", "A  B", "a:b", "true", "٣", "9007199254740993", "x" * 41)
_values = st.sampled_from((*_VALUES, *_WORDS))


@given(st.integers(0, 49), st.sampled_from(list(Tick.model_fields)), _values)
@settings(max_examples=300, deadline=None)
def test_a_value_means_the_same_in_a_batch(row: int, name: str, value: str) -> None:
    """Whatever one field holds, the batch gives what each entry gives alone."""
    batch = [(entry_id, list(fields)) for entry_id, fields in TICKS]
    fields = batch[row][1]
    fields[fields.index(name, 4) + 1] = value
    assert decode(batch) == [(entry_id, decode_one(fields)) for entry_id, fields in batch]


@pytest.mark.parametrize("other", ["close.v1", "heartbeat.v1"])
def test_ticks_around_something_else_are_read_too(other: str) -> None:
    """A batch of several types keeps its order."""
    batch = [*TICKS[:20], ("20-0", sample(other).fields), *TICKS[20:]]
    events = [event for _, event in decode(batch)]
    assert [event.TYPE for event in events if isinstance(event, Event)] == (
        ["tick"] * 20 + [other.removesuffix(".v1")] + ["tick"] * 30
    )


def test_fields_in_another_order_or_number_are_read_all_the_same() -> None:
    """A newer writer's additions, and a foreign writer's order, cost time only."""
    more = [(entry_id, [*fields, "venue", "X"]) for entry_id, fields in TICKS]
    turned = [(entry_id, [*f[:4], *f[6:], *f[4:6]]) for entry_id, f in TICKS]
    assert decode(more) == decode(turned) == decode(TICKS)


def test_one_bad_tick_spoils_itself_alone() -> None:
    """The others of its batch stay events."""
    bad = ("7-0", [*TICKS[7][1][:-1], "-1"])
    events = [event for _, event in decode([*TICKS[:7], bad, *TICKS[8:]])]
    assert [index for index, event in enumerate(events) if isinstance(event, Poison)] == [7]
