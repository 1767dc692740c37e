"""Rollbacks: who notices that a failover took commits or entries away, and what follows."""

from dataclasses import replace

import pytest

from shared.bus.decide import Decider
from shared.bus.log import FIRST_LIFE, Lease, LeaseLost, Log
from shared.bus.memory_log import MemoryLog
from shared.bus.progress import Progress
from shared.bus.session import Session
from shared.bus.topics import Topic
from tests.bus.toys import COUNT, commit, lease, tick


async def test_a_partition_begins_its_first_life(any_log: Log) -> None:
    """Nobody has ever noticed a rollback."""
    assert (await lease(any_log)).incarnation == FIRST_LIFE


async def test_commit_that_rests_on_a_lost_entry_is_refused(any_log: Log) -> None:
    """What was read is not there: nothing is written, and the partition has a new life."""
    held = await lease(any_log)
    there = await any_log.append(0, "tick", tick(1).wire())
    planned = commit(held, 0, [tick(1)])
    lost = replace(planned, rests_on=[("tick", there), ("tick", "5-5")])
    assert await any_log.commit([lost]) == ["CONFLICT"]
    again = await lease(any_log)
    assert again.seq == 0
    assert again.incarnation.startswith("1:")


async def test_commit_that_rests_on_what_is_there_is_written(any_log: Log) -> None:
    """Entries of several topics, all of them there."""
    held = await lease(any_log)
    entries: list[tuple[Topic, str]]
    entries = [("tick", await any_log.append(0, "tick", tick(n).wire())) for n in (1, 2)]
    entries.append(("inbox", await any_log.append(0, "inbox", tick(1).wire())))
    planned = replace(commit(held, 0, [tick(1)]), rests_on=entries)
    assert await any_log.commit([planned]) == ["OK"]
    assert await any_log.commit([planned]) == ["DUP"]
    assert (await lease(any_log)).incarnation == FIRST_LIFE


async def test_commit_ahead_of_the_checkpoint_tells_of_a_rollback(any_log: Log) -> None:
    """Whoever has come to 3 and finds 0 has seen commits that are gone."""
    held = await lease(any_log)
    assert await any_log.commit([commit(held, 3)]) == ["CONFLICT"]
    assert (await lease(any_log)).incarnation.startswith("1:")


async def test_former_owner_ahead_of_the_checkpoint_tells_of_it_too(any_log: Log) -> None:
    """The rollback may have given the lease to another, and left no other witness."""
    former = await lease(any_log, "former")
    await any_log.release(former)
    assert await any_log.commit([commit(former, 3)]) == ["CONFLICT"]
    assert (await lease(any_log)).incarnation.startswith("1:")


async def test_idle_owner_hears_of_a_rollback_when_it_renews(any_log: Log) -> None:
    """It commits nothing, so its renewal says how far it has come."""
    held = await lease(any_log)
    assert await any_log.renew([(held, 0)], 3_000) == [True]
    assert await any_log.renew([(held, 1)], 3_000) == [False]
    assert (await lease(any_log)).incarnation.startswith("1:")


async def test_one_rollback_makes_one_new_life_however_many_notice(any_log: Log) -> None:
    """Two more witnesses who know only the first life change nothing."""
    held = await lease(any_log)
    await any_log.commit([commit(held, 3)])
    known = (await lease(any_log)).incarnation
    await any_log.commit([commit(held, 2)])
    await any_log.renew([(held, 4)], 3_000)
    assert (await lease(any_log)).incarnation == known


async def test_each_rollback_makes_a_life_of_its_own(any_log: Log) -> None:
    """Lives are counted, and told apart by more than their number."""
    lives = []
    for _ in range(3):
        held = await lease(any_log)
        lives.append(held.incarnation)
        planned = replace(commit(held, 3), incarnation=held.incarnation)
        await any_log.commit([planned])
    assert [life.partition(":")[0] for life in lives] == ["0", "1", "2"]


async def test_life_that_was_itself_rolled_back_is_followed_by_one_of_a_higher_number(
    any_log: Log,
) -> None:
    """A second failover took the first one's mark away: 0 again, where the witness knows 4."""
    held = await lease(any_log)
    planned = replace(commit(held, 3), incarnation="4:lost")
    assert await any_log.commit([planned]) == ["CONFLICT"]
    assert (await lease(any_log)).incarnation.startswith("5:")
    await any_log.renew([(replace(held, incarnation="7:lost"), 3)], 3_000)
    assert (await lease(any_log)).incarnation.startswith("8:")


async def test_owner_who_knows_an_older_life_only_must_reload(any_log: Log) -> None:
    """Its commit fits, but what it would notice of a second rollback would go unheard."""
    held = await lease(any_log)
    other = await any_log.acquire("signals", 0, "w", 3_000)
    assert isinstance(other, Lease)
    await any_log.commit([commit(held, 3)])
    late = replace(commit(held, 0), stage="signals", token=other.token)
    assert await any_log.commit([late]) == ["CONFLICT"]


async def test_decider_rests_on_the_end_of_every_portion_it_took() -> None:
    """Portions ``1 2`` and ``3 4`` and ``5``, decided three at a time."""
    log = MemoryLog(1, lambda: 1)
    for pos in range(1, 6):
        await log.append(0, "tick", tick(pos).wire())
    stage = Decider(COUNT, await lease(log))
    for count in (2, 2, 2):
        offsets = {(0, topic): offset for topic, offset in stage.wants(9).items()}
        found = await log.read(offsets, count=count, block_ms=0)
        stage.offer("tick", found[0, "tick"])
    first, second = stage.plan(3), stage.plan(3)
    assert first is not None
    assert second is not None
    assert first.rests_on == [("tick", "1-1"), ("tick", "1-2")]
    assert second.rests_on == [("tick", "1-3"), ("tick", "1-4")]


async def test_session_rests_on_the_end_of_every_portion_it_took() -> None:
    """Portions ``1 2`` and ``3 4 5``: the first is lost, and with it what was made of both."""
    log = MemoryLog(1, lambda: 1)
    for pos in range(1, 6):
        await log.append(0, "alert_fired", tick(pos).wire())
    session = Session(log, await lease(log), Progress("candles"), lambda: None)
    first = await session.read("alert_fired", count=2)
    second = await session.read("alert_fired", after=first[-1][0])
    await log.trim("alert_fired", [0], 3)
    with pytest.raises(LeaseLost, match="CONFLICT"):
        await session.commit([], offsets={"alert_fired": (second[-1][0], 5)})


async def test_session_does_not_rest_on_what_it_has_not_taken() -> None:
    """Of ``1 2 3`` two are taken; then nothing more, while they are trimmed away."""
    log = MemoryLog(1, lambda: 1)
    for pos in range(1, 4):
        await log.append(0, "alert_fired", tick(pos).wire())
    session = Session(log, await lease(log), Progress("candles"), lambda: None)
    read = await session.read("alert_fired")
    await session.commit([], offsets={"alert_fired": (read[1][0], 2)})
    await log.trim("alert_fired", [0], 1)
    await session.commit([tick(9)])
    assert session.offsets == {"alert_fired": read[1][0]}
