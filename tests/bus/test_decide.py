"""Deciders: what a stage sees, in which order, and what its commit carries."""

import random

import pytest

from shared.bus.decide import Decider
from shared.bus.log import Commit, Lease
from shared.bus.step import StageSpec
from shared.bus.topics import Topic
from shared.events import Close, DeadLetter, Event, Watermark
from shared.events.codec import RawEntry, decode_one
from tests.bus.toys import COUNT, LEVEL, TELL, Counter, Leveller, Teller, close, heartbeat, tick


def raw(events: list[Event]) -> list[RawEntry]:
    """Stream entries as a server gives them; the entry id is the place in the list."""
    return [(f"{i}-0", [str(v) for v in event.wire()]) for i, event in enumerate(events, 1)]


def decider(spec: StageSpec) -> Decider:
    """A fresh partition's decider."""
    return Decider(spec, Lease(spec.name, 0, "1:x", {}, {}))


def told(commit: Commit | None) -> list[Event]:
    """The events that a commit writes."""
    assert commit is not None
    entries = [fields for run in commit.outputs for fields in run.entries()]
    found = [decode_one([str(value) for value in fields]) for fields in entries]
    return [event for event in found if isinstance(event, Event)]


SPINE: list[Event] = [tick(1), tick(2), close(3, 1), tick(4), close(5, 2), tick(6)]


def test_nothing_new_makes_no_commit() -> None:
    """A stage without new entries leaves the log alone."""
    assert decider(COUNT).plan(100) is None


def test_commit_ends_with_a_watermark_where_something_closed() -> None:
    """``T T C`` gives the candle, then 'everything up to 3 is written'."""
    stage = decider(COUNT)
    stage.offer("tick", raw(SPINE[:3]))
    candle, mark = told(stage.plan(100))
    assert candle.id == "candle_closed:S:1m:1970-01-01T00:01Z"
    assert isinstance(mark, Watermark)
    assert mark.pos == 3


def test_commit_of_mere_ticks_has_no_watermark() -> None:
    """Nothing closed, nobody waits."""
    stage = decider(COUNT)
    stage.offer("tick", raw(SPINE[:2]))
    commit = stage.plan(100)
    assert told(commit) == []
    assert commit is not None
    assert commit.checkpoint["tick"] == "2-0"
    assert commit.checkpoint["n:tick"] == "2"


def test_heartbeat_moves_the_watermark_of_a_quiet_partition() -> None:
    """``H`` alone gives a watermark."""
    stage = decider(COUNT)
    stage.offer("tick", raw([heartbeat(1)]))
    assert [event.pos for event in told(stage.plan(9))] == [1]


def test_downstream_watermark_is_what_was_said_not_what_was_seen() -> None:
    """Of several candles at one position, the last may be still to come: the mark must wait."""
    candles = Counter({}).process(SPINE[:5])
    stage = decider(LEVEL)
    first_mark = Watermark(symbol="*", at=0, pos=3)
    stage.offer("candle_closed", raw([candles[0], first_mark, candles[1]]))
    assert [event.pos for event in told(stage.plan(9)) if isinstance(event, Watermark)] == [3]


def levels(spine: list[Event]) -> list[Event]:
    """Level readings of a spine, each followed by its watermark."""
    readings = Leveller({}).process(Counter({}).process(spine))
    return [e for r in readings for e in (r, Watermark(symbol="*", at=0, pos=r.pos))]


def test_joined_stage_waits_at_a_close_and_only_there() -> None:
    """``T T C T C T``: without levels the first two ticks are decided, then it waits for 3."""
    stage = decider(TELL)
    stage.offer("tick", raw(SPINE))
    assert [event.pos for event in told(stage.plan(99))] == [1, 2]
    assert stage.waits_for == 3
    assert not stage.ready
    stage.settle()
    assert stage.plan(99) is None


def test_joined_events_stand_before_the_close_they_follow_from() -> None:
    """The tick after a close is decided on that close's levels: counts 2 and 3."""
    stage = decider(TELL)
    stage.offer("level_computed", raw(levels(SPINE)))
    stage.offer("tick", raw(SPINE))
    signals = [e for e in told(stage.plan(99)) if not isinstance(e, Watermark)]
    assert [(e.pos, e.level_price) for e in signals] == [(1, 0), (2, 0), (4, 2), (6, 3)]  # type: ignore[attr-defined]


def test_later_position_ends_the_one_before_without_its_watermark() -> None:
    """An event of position 5 proves that position 3 is complete."""
    marks_left_out = [e for e in levels(SPINE) if not isinstance(e, Watermark)]
    stage = decider(TELL)
    stage.offer("level_computed", raw(marks_left_out))
    stage.offer("tick", raw(SPINE))
    stage.plan(99)
    assert stage.waits_for == 5


def test_stage_that_has_seen_everything_is_not_behind() -> None:
    """The watermark of a heartbeat comes late: it is taken too, though nothing closes."""
    stage = decider(TELL)
    stage.offer("tick", raw([heartbeat(1)]))
    stage.plan(9)
    stage.settle()
    stage.offer("level_computed", raw([Watermark(symbol="*", at=0, pos=1)]))
    commit = stage.plan(9)
    assert commit is not None
    assert commit.checkpoint["level_computed"] == "1-0"


@pytest.mark.parametrize("seed", range(30))
def test_result_is_independent_of_arrival_and_batching(seed: int) -> None:
    """Entries come in any interleaving and portions, with crashes between: the same signals."""
    chance = random.Random(seed)
    spine: list[Event] = []
    for pos in range(1, 60):
        minute = sum(isinstance(event, Close) for event in spine) + 1
        spine.append(close(pos, minute) if chance.random() < 0.2 else tick(pos))
    expected = _undisturbed(spine)
    sources: dict[Topic, list[RawEntry]] = {
        "tick": raw(spine),
        "level_computed": raw(levels(spine)),
    }
    assert [event.id for event in _disturbed(sources, chance)] == [e.id for e in expected]
    assert len(expected) > 20


def _undisturbed(spine: list[Event]) -> list[Event]:
    readings = {event.pos: event for event in levels(spine) if not isinstance(event, Watermark)}
    teller, signals = Teller({}), []
    for event in spine:
        if event.pos in readings:
            signals += teller.process([readings[event.pos]])
        signals += teller.process([event])
    return signals


def _disturbed(sources: dict[Topic, list[RawEntry]], chance: random.Random) -> list[Event]:
    checkpoint: dict[str, str] = {}
    state: dict[str, str] = {}
    signals: list[Event] = []
    stage = Decider(TELL, Lease("signals", 0, "1:x", {}, {}))
    idle = 0
    while idle < 200:
        topic: Topic = chance.choice(["tick", "level_computed"])
        wanted = stage.wants(20)
        if topic in wanted:
            first = int(wanted[topic].split("-")[0])
            portion = sources[topic][first : first + chance.randint(1, 9)]
            if portion:
                stage.offer(topic, portion)
        commit = stage.plan(chance.randint(1, 7), hold=chance.random() < 0.3)
        idle = 0 if commit is not None else idle + 1
        if chance.random() < 0.2:  # a crash before the commit, or after it without its settling
            if commit is not None and chance.random() < 0.5:
                _apply(commit, checkpoint, state, signals)
            stage = Decider(TELL, Lease("signals", 0, "1:x", dict(checkpoint), dict(state)))
        elif commit is not None:
            _apply(commit, checkpoint, state, signals)
            stage.settle()
    return signals


def _apply(
    commit: Commit, checkpoint: dict[str, str], state: dict[str, str], signals: list[Event]
) -> None:
    checkpoint.update(commit.checkpoint, seq=str(commit.seq + 1))
    state.update(commit.state)
    signals += [event for event in told(commit) if not isinstance(event, Watermark)]


def test_undecodable_entry_becomes_a_dead_letter_and_the_rest_goes_on() -> None:
    """A foreign entry is stepped over in the same commit, with its reason."""
    stage = decider(COUNT)
    foreign: RawEntry = ("2-0", ["type", "tick", "v", "1", "symbol", "S"])
    stage.offer("tick", [raw([tick(1)])[0], foreign, ("3-0", raw([close(3, 1)])[0][1])])
    dead, candle, _ = told(stage.plan(9))
    assert isinstance(dead, DeadLetter)
    assert (dead.entry, dead.symbol) == ("2-0", "S")
    assert dead.reason == "tick: at: Field required"
    assert candle.volume == 1  # type: ignore[attr-defined]


def test_undecidable_event_becomes_a_dead_letter_and_leaves_no_trace() -> None:
    """``T T! T C``: the middle one raises; the candle counts two, exactly as without it."""
    stage = decider(COUNT)
    stage.offer("tick", raw([tick(1), tick(2, 666), tick(3), close(4, 1)]))
    commit = stage.plan(99)
    dead, candle, _ = told(commit)
    assert isinstance(dead, DeadLetter)
    assert "the price of the beast" in dead.reason
    assert dead.body == [str(value) for value in tick(2, 666).wire()]
    assert candle.volume == 2  # type: ignore[attr-defined]
    assert commit is not None
    assert commit.state == {"S": "2"}


def test_poison_within_a_run_of_ticks_is_stepped_over_alone() -> None:
    """Of eight ticks read as columns the sixth raises: seven count."""
    stage = decider(COUNT)
    ticks = [tick(pos, 666 if pos == 6 else 1.0) for pos in range(1, 9)]
    stage.offer("tick", raw([*ticks, close(9, 1)]))
    dead, candle, _ = told(stage.plan(99))
    assert isinstance(dead, DeadLetter)
    assert dead.entry == "6-0"
    assert candle.volume == 7  # type: ignore[attr-defined]


def test_what_nobody_waits_for_is_held_back_until_something_follows() -> None:
    """Ticks are decided at once; the commit comes with the candle, and holds all of them."""
    stage = decider(COUNT)
    stage.offer("tick", raw(SPINE[:2]))
    assert stage.plan(99, hold=True) is None
    assert stage.holds
    stage.offer("tick", raw(SPINE[:3])[2:])
    commit = stage.plan(99, hold=True)
    candle, _ = told(commit)
    assert candle.volume == 2  # type: ignore[attr-defined]
    assert commit is not None
    assert commit.checkpoint["n:tick"] == "3"
    assert commit.rests_on == [("tick", "2-0"), ("tick", "3-0")]
    assert not stage.holds


def test_what_is_held_back_goes_when_its_time_has_come_or_when_it_is_enough() -> None:
    """Without ``hold``, or once it fills a batch."""
    stage = decider(COUNT)
    stage.offer("tick", raw(SPINE[:2]))
    assert stage.plan(99, hold=True) is None
    assert told(stage.plan(99)) == []
    stage.settle()
    full = decider(COUNT)
    full.offer("tick", raw(SPINE[:2]))
    assert told(full.plan(2, hold=True)) == []


def test_poison_after_what_was_held_back_loses_none_of_it() -> None:
    """The machine is restored from the last commit and sees the held events again."""
    stage = decider(COUNT)
    stage.offer("tick", raw([tick(1), tick(2)]))
    assert stage.plan(99, hold=True) is None
    stage.offer("tick", raw([tick(1), tick(2), tick(3, 666), tick(4)])[2:])
    commit = stage.plan(99, hold=True)
    (dead,) = told(commit)
    assert isinstance(dead, DeadLetter)
    assert commit is not None
    assert commit.state == {"S": "3"}
