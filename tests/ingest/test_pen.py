"""Writing a spine in parts that fit into commits: the same entries, in the same order."""

import pytest

from services.ingest.adapters.pen import INBOX, Pen
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import FeedRejected, FeedTick, FeedTime, Item
from services.ingest.domain.spine import SpineWriter
from shared.bus.cap import BYTES_MAX
from shared.bus.log import START, Lease, Log
from shared.bus.progress import Progress
from shared.bus.session import Session
from shared.bus.topics import Topic
from shared.events import Config, ConfigRequested, DeadLetter, Event
from shared.events.codec import decode
from tests.ingest.lines import TABLE, at, tick, ticks, time, told

MANY = 2_500


def crowd() -> InstrumentTable:
    """Many instruments with the session of an FX pair."""
    model = TABLE.get("EURUSD")
    return InstrumentTable(
        model.model_copy(update={"symbol": f"S{number}", "title": f"S{number}"})
        for number in range(MANY)
    )


async def pen(log: Log, table: InstrumentTable = TABLE) -> tuple[Pen, Session, Progress]:
    """The writer of partition 0."""
    lease = await log.acquire("feed", 0, "w", 10_000)
    assert isinstance(lease, Lease)
    progress = Progress("feed")
    session = Session(log, lease, progress, lambda: None)
    return Pen(session, table), session, progress


async def written(log: Log, topic: Topic = "tick") -> list[Event]:
    """Everything in partition 0's topic."""
    found: list[Event] = []
    offset = START
    while page := (await log.read({(0, topic): offset}, count=4_000, block_ms=0)).get((0, topic)):
        offset = page[-1][0]
        found += [event for _, event in decode(page) if isinstance(event, Event)]
    return found


async def test_a_close_of_very_many_symbols_goes_in_several_commits(any_log: Log) -> None:
    """2,500 symbols close at one moment: entries, order and numbers are as in one go."""
    table = crowd()
    items: list[Item] = [
        FeedTick(f"S{number}", at("14:00:10") + number, 1.1, 1.0, "test") for number in range(MANY)
    ]
    items += [FeedTime(at("15:00:05")), *ticks("15:00:10 1.2", "S7"), FeedTime(at("15:02"))]
    writer, _, progress = await pen(any_log, table)
    await writer.write(items)
    expected = SpineWriter(table, {}).process(items)
    assert await written(any_log) == expected
    assert len(expected) > 3 * MANY
    assert progress.verdicts.total() > 5


async def test_large_dead_letters_are_spread_over_commits(any_log: Log) -> None:
    """A hundred unreadable lines of 100 kB: each is kept as far as a letter may be long."""
    writer, _, _ = await pen(any_log)
    lines: list[Item] = [
        FeedRejected("*", at("14:00"), "no line", ("line", "x" * 100_000)) for _ in range(100)
    ]
    await writer.write([*lines, tick("14:00:01", 1.1)])
    letters = [one for one in await written(any_log, "dead_letter") if isinstance(one, DeadLetter)]
    assert [letter.entry for letter in letters] == [str(number) for number in range(1, 101)]
    assert {len(letter.body[1]) for letter in letters} == {65_536 - len("line")}
    assert told(await written(any_log))[-1] == "tick EURUSD 14:00:01 1.1 n0"


@pytest.mark.parametrize("place", [0, 2, 4])
async def test_a_request_that_fits_into_no_commit_is_a_dead_letter(
    any_log: Log, place: int
) -> None:
    """The other four are on the spine, the inbox is read to its end, and the letter says why."""
    writer, session, _ = await pen(any_log)
    for number in range(5):
        size = BYTES_MAX if number == place else 1_500_000
        request = ConfigRequested(
            symbol="*",
            at=1,
            pos=0,
            kind="rules",
            name=f"r{number}",
            version="1",
            body={"text": "x" * size},
        )
        await any_log.append(0, INBOX, request.wire())
    await writer.answer()
    named = [one.name for one in await written(any_log) if isinstance(one, Config)]
    assert named == [f"r{number}" for number in range(5) if number != place]
    (letter,) = await written(any_log, "dead_letter")
    assert isinstance(letter, DeadLetter)
    assert "at most 5,000 entries and 4,000,000 bytes" in letter.reason
    assert await session.read(INBOX) == []
    await writer.write([time("14:02")])
