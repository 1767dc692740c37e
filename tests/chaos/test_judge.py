"""The judge of chaos runs: each kind of harm is told, and nothing else is."""

import json
from pathlib import Path

from shared.bus.topics import Topic
from shared.events import CandleClosed, Event, Tick
from shared.events.codec import Decoded
from tests.bus.toys import heartbeat, tick
from tests.chaos.faults import KINDS, schedules
from tests.chaos.judge import READ, Judge
from tests.chaos.recording import Recording, Row

ROWS: tuple[Row, ...] = ((1_000_000, "S", 1.0, 0.0), (2_000_000, "S", 1.0, 0.0))


def told(spine: list[Event], **topics: list[Event]) -> list[str]:
    """What the judge says of one partition that holds this."""
    held: dict[Topic, list[Decoded]] = {topic: [] for topic in READ}
    for topic, events in {"tick": spine, **topics}.items():
        held[topic] = [(f"{n}-0", event) for n, event in enumerate(events, 1)]  # type: ignore[index]
    judge = Judge(Recording(Path(), ROWS), partitions=1, rolled_back=False)
    return list(judge.violations([held]))


def candle(first: Tick) -> CandleClosed:
    """A candle that follows from nothing."""
    return CandleClosed(
        symbol="S",
        at=60_000_000,
        pos=1,
        timeframe="1m",
        open_at=0,
        session_at=0,
        open=1,
        high=1,
        low=1,
        close=1,
        volume=0,
        ticks=1,
        source="test",
        origin="live",
        cause=first.id,
    )


def test_all_is_well() -> None:
    """Both rows of the file, and a heartbeat."""
    assert told([tick(1), tick(2), heartbeat(3)]) == []


def test_a_lost_tick_is_told() -> None:
    """The second row is not there."""
    assert told([tick(1)]) == [
        "partition 0: S: 1 of the file's ticks are missing, 0 too many, of 2"
    ]


def test_a_doubled_tick_is_told() -> None:
    """Its position, its id, and its being one too many."""
    found = told([tick(1), tick(2), tick(2)])
    assert found[0] == "partition 0: the spine's entry 3 has position 2"
    assert "0 of the file's ticks are missing, 1 too many" in found[1]
    assert "tick holds 1 events more than once" in found[2]


def test_an_event_that_follows_from_nothing_is_told() -> None:
    """Nothing closed on the spine."""
    first = tick(1)
    found = told([first, tick(2)], candle_closed=[candle(first)])
    assert found == ["partition 0: candle_closed has 1 events, not 0"]


def test_a_repeat_under_another_key_is_told(tmp_path: Path) -> None:
    """The same signal twice under one key is a repeat; under two it is two alerts."""
    lines = [{"signal": "a", "id": "1"}, {"signal": "a", "id": "1"}, {"signal": "b", "id": "2"}]
    file = tmp_path / "notifier-0.out"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    judge = Judge(Recording(Path(), ROWS), partitions=1, rolled_back=False, signals={"a", "b"})
    assert list(judge.deliveries(tmp_path)) == []
    file.write_text(file.read_text() + json.dumps({"signal": "b", "id": "3"}) + "\n")
    assert list(judge.deliveries(tmp_path)) == ["b was delivered under the keys ['2', '3']"]


def test_a_signal_that_nobody_was_told_of_is_told(tmp_path: Path) -> None:
    """There is no line of it."""
    judge = Judge(Recording(Path(), ROWS), partitions=1, rolled_back=False, signals={"a"})
    assert list(judge.deliveries(tmp_path)) == ["1 signals were never delivered: a"]


def test_three_runs_are_dealt_every_kind_of_fault() -> None:
    """Whatever the seed; and the same seed gives the same schedules."""
    for seed in range(20):
        deck = schedules(seed)
        assert {fault.kind for _ in range(3) for fault in next(deck)} == set(KINDS)
    assert next(schedules(7)) == next(schedules(7))
