"""Commits larger than one may be: split where entries end, or refused before they are sent."""

import json
from collections.abc import Sequence

import pytest

from shared.bus.cap import BYTES_MAX, ENTRIES_MAX, TooLarge
from shared.bus.log import START, Lease, Log
from shared.bus.progress import Progress
from shared.bus.session import Session
from shared.bus.stage_worker import StageWorker
from shared.bus.step import StageSpec, State
from shared.clock import SystemClock
from shared.events import ConfigRequested, DeadLetter, Event, SignalGenerated, Tick, Watermark
from shared.events.codec import decode
from tests.bus.toys import TTL_MS, tick, write


class Fan:
    """Answers a tick with as many signals as its price says, each with so long a reason as its
    size says; numbers them all."""

    def __init__(self, state: State) -> None:
        self._count = int(state.get("@count", "0"))

    def process(self, events: Sequence[Event]) -> list[Event]:
        return [one for event in events if isinstance(event, Tick) for one in self._told(event)]

    def changes(self) -> dict[str, str]:
        return {"@count": str(self._count)}

    def _told(self, event: Tick) -> list[Event]:
        first = self._count
        self._count += int(event.price)
        return [_signal(event, number) for number in range(first, self._count)]


def _signal(event: Tick, number: int) -> SignalGenerated:
    return SignalGenerated(
        symbol="S",
        at=event.at,
        pos=event.pos,
        config="test",
        rule="fan",
        rule_version="1",
        action="touch",
        direction="long",
        timeframe="1m",
        level="none",
        level_price=1.0,
        price=event.price,
        gap=False,
        operands={f"{n:x>200}": 1.0 for n in range(int(event.size))},
        reason=str(number),
        expires_at=None,
        cause=event.id,
    )


FAN = StageSpec("signals", primary="tick", output="signal_generated", restore=Fan)


def fan(pos: int, entries: int, width: int = 0) -> Tick:
    """A tick that makes so many signals, each of some 200 bytes times its width."""
    return tick(pos, float(entries)).model_copy(update={"size": float(width)})


async def worked(log: Log, ticks: Sequence[Event]) -> tuple[list[str], list[DeadLetter], int]:
    """The numbers of the signals that stand in the log, the dead letters, and the commits."""
    await write(log, ticks)
    worker = StageWorker(log, FAN, "w", SystemClock())
    for _ in range(60):
        await worker.turn()
    found: list[Event] = []
    offset = START
    while page := (await log.read({(0, "signal_generated"): offset}, count=4_000, block_ms=0)).get(
        (0, "signal_generated")
    ):
        offset = page[-1][0]
        found += [event for _, event in decode(page) if isinstance(event, Event)]
    letters = (await log.read({(0, "dead_letter"): START}, count=10, block_ms=0)).get(
        (0, "dead_letter"), []
    )
    dead = [event for _, event in decode(letters) if isinstance(event, DeadLetter)]
    numbers = [event.reason for event in found if isinstance(event, SignalGenerated)]
    assert not [event for event in found if isinstance(event, Watermark)]
    return numbers, dead, sum(worker.progress.verdicts.values())


@pytest.mark.parametrize("width", [0, 40])
async def test_what_is_too_much_for_one_commit_goes_in_several(any_log: Log, width: int) -> None:
    """Twelve ticks of 1,000 signals, narrow ones and ones of 8 kB: all there, once, in order."""
    entries = 1_000 if width == 0 else 100
    numbers, dead, commits = await worked(any_log, [fan(n, entries, width) for n in range(1, 13)])
    assert numbers == [str(number) for number in range(12 * entries)]
    assert dead == []
    assert commits >= 3


async def test_an_entry_that_fits_into_no_commit_is_a_dead_letter(any_log: Log) -> None:
    """Of five ticks the third alone is too much: it is named, and the rest goes on without it."""
    counts = [2, 3, ENTRIES_MAX + 1, 4, 5]
    ticks = [fan(pos, entries) for pos, entries in enumerate(counts, 1)]
    numbers, (letter,), _ = await worked(any_log, ticks)
    assert numbers == [str(number) for number in range(2 + 3 + 4 + 5)]
    assert letter.pos == 3
    assert "would hold 5,001 entries" in letter.reason
    assert "at most 5,000 entries and 4,000,000 bytes" in letter.reason


async def held(log: Log) -> Session:
    """Partition 0 of the feed."""
    lease = await log.acquire("feed", 0, "w", TTL_MS)
    assert isinstance(lease, Lease)
    return Session(log, lease, Progress("feed"), lambda: None)


async def test_a_session_refuses_before_anything_is_sent(any_log: Log) -> None:
    """One clear error; the log is as it was, and the session goes on."""
    session = await held(any_log)
    body = {"text": "x" * BYTES_MAX}
    request = ConfigRequested(
        symbol="*", at=1, pos=0, kind="rules", name="big", version="1", body=body
    )
    with pytest.raises(TooLarge, match="stage feed, partition 0 would hold 1 entries and 4,000,"):
        await session.commit([request])
    with pytest.raises(TooLarge):
        await session.commit([], {"@state": json.dumps(body)})
    assert await any_log.read({(0, "inbox"): START}, count=10, block_ms=0) == {}
    await session.commit([tick(1)], {"@state": "small"})
    assert session.state == {"@state": "small"}
