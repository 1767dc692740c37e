"""Runs of ticks kept as columns are the ticks that they were."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import Tick
from shared.events.codec import RawEntry, decode, decode_parts
from shared.events.ticks import Ticks
from tests.events.entries import as_read, sample
from tests.events.test_wire_size import market

TICKS: list[RawEntry] = [(f"{n}-0", as_read(tick)) for n, tick in enumerate(market(30))]
OTHER: RawEntry = ("7-7", list(sample("close.v1").fields))
FOREIGN: RawEntry = ("8-8", ["type", "tick", "v", "1", "symbol", "S"])


def test_a_run_gives_back_its_ticks() -> None:
    """All of them, one of them, some of them: the very models that one by one reading gives."""
    run = Ticks.read([fields for _, fields in TICKS])
    assert run is not None
    alone = [event for _, event in decode(TICKS)]
    assert run.models() == alone
    assert run[7] == alone[7]
    assert list(run.cut(3, 9)) == alone[3:9]
    assert len(run.cut(3, 9)) == 6
    assert list(run.pos[3:9]) == [event.pos for event in alone[3:9] if isinstance(event, Tick)]
    assert list(Ticks.of(run)) == alone
    assert list(Ticks.of([])) == []


@given(st.lists(st.sampled_from([*TICKS[:3], *TICKS[:3], OTHER, FOREIGN]), max_size=30))
@settings(max_examples=200, deadline=None)
def test_parts_are_the_entries_in_their_order(entries: Sequence[RawEntry]) -> None:
    """Whatever stands between the ticks: the same entries, events and complaints as one by one."""
    parts = decode_parts(entries)
    assert [one for ids, events in parts for one in zip(ids, events, strict=True)] == decode(
        entries
    )
    assert all(len(ids) == len(events) > 0 for ids, events in parts)


def test_long_runs_of_ticks_stay_columns() -> None:
    """Ten ticks, a close, ten ticks: two runs, and the close between them."""
    kinds = [type(events) for _, events in decode_parts([*TICKS[:10], OTHER, *TICKS[10:20]])]
    assert kinds == [Ticks, list, Ticks]
