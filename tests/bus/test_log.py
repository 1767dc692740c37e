"""What every log must do: the same suite runs on the real server and on the fake."""

import asyncio

import pytest

from shared.bus.log import START, Commit, Held, Lease, Log
from shared.bus.topics import StageName
from shared.events import Event
from shared.events.codec import decode
from tests.bus.toys import TTL_MS, commit, lease, tick


async def entries(log: Log) -> list[str]:
    """Ids of the events in partition 0's candle topic."""
    found = await log.read({(0, "candle_closed"): START}, count=100, block_ms=0)
    return [e.id for _, e in decode(found.get((0, "candle_closed"), [])) if isinstance(e, Event)]


async def test_commit_writes_outputs_state_and_offsets_together(any_log: Log) -> None:
    """After a commit the next owner finds everything it wrote."""
    held = await lease(any_log)
    assert await any_log.commit([commit(held, 0, [tick(1)], state={"S": "1"})]) == ["OK"]
    await any_log.release(held)
    found = await lease(any_log, "next")
    assert found.checkpoint["seq"] == "1"
    assert found.checkpoint["tick"] == "0-0"
    assert found.state == {"S": "1"}
    assert await entries(any_log) == ["tick:S:test:1970-01-01T00:00:01Z:0"]


async def test_repeated_commit_is_recognised_and_writes_nothing(any_log: Log) -> None:
    """A retry after a lost reply is answered DUP."""
    held = await lease(any_log)
    assert await any_log.commit([commit(held, 0, [tick(1)])]) == ["OK"]
    assert await any_log.commit([commit(held, 0, [tick(1)])]) == ["DUP"]
    assert len(await entries(any_log)) == 1


async def test_commit_that_missed_its_turn_conflicts(any_log: Log) -> None:
    """Another commit with the same sequence number came first: this one is refused."""
    held = await lease(any_log)
    await any_log.commit([commit(held, 0, [tick(1)], txid="a")])
    assert await any_log.commit([commit(held, 0, [tick(2)], txid="b")]) == ["CONFLICT"]
    assert await any_log.commit([commit(held, 2, [tick(2)], txid="c")]) == ["CONFLICT"]
    assert len(await entries(any_log)) == 1


async def test_former_owner_is_fenced(any_log: Log) -> None:
    """Whoever lost the lease cannot write any more, whatever the clock says."""
    former = await lease(any_log)
    await any_log.release(former)
    await lease(any_log, "other")
    assert await any_log.commit([commit(former, 0, [tick(1)])]) == ["FENCED"]
    assert await entries(any_log) == []


async def test_lease_is_held_against_others_until_it_is_given_back(any_log: Log) -> None:
    """Only one worker at a time; a release lets the next one in at once."""
    held = await lease(any_log, "one")
    found = await any_log.acquire("candles", 0, "two", TTL_MS)
    assert isinstance(found, Held)
    assert found.owner == "one"
    assert 0 < found.left_ms <= TTL_MS
    await any_log.release(held)
    assert (await lease(any_log, "two")).token != held.token


async def test_worker_that_restarts_takes_its_own_lease_under_a_new_token(any_log: Log) -> None:
    """The former life of the same worker is fenced like any other."""
    former = await lease(any_log, "one")
    again = await lease(any_log, "one")
    assert again.token != former.token
    assert await any_log.commit([commit(former, 0)]) == ["FENCED"]
    assert await any_log.renew([(former, 0), (again, 0)], 3_000) == [False, True]


async def test_expired_lease_can_be_taken(any_log: Log) -> None:
    """A worker that crashed is replaced when its lease is over."""
    taken = await any_log.acquire("candles", 0, "crashed", 20)
    assert not isinstance(taken, Held)
    await asyncio.sleep(0.05)
    assert (await lease(any_log, "next")).token.startswith("2:")


async def test_empty_text_deletes_a_state_field(any_log: Log) -> None:
    """State that is not needed any more does not stay for ever."""
    held = await lease(any_log)
    await any_log.commit([commit(held, 0, state={"A": "1", "B": "2"})])
    await any_log.commit([commit(held, 1, state={"A": ""})])
    await any_log.release(held)
    assert (await lease(any_log)).state == {"B": "2"}


async def test_members_are_those_who_beat_lately(any_log: Log) -> None:
    """A worker counts while its beat lasts, and no longer once it leaves."""
    await any_log.heartbeat("signals", "short", TTL_MS)
    assert await any_log.heartbeat("signals", "long", TTL_MS) == ["long", "short"]
    await any_log.heartbeat("signals", "short", 20)
    await asyncio.sleep(0.05)
    assert await any_log.heartbeat("signals", "more", TTL_MS) == ["long", "more"]
    await any_log.leave("signals", "long")
    assert await any_log.heartbeat("signals", "more", TTL_MS) == ["more"]


async def test_read_goes_on_after_an_offset(any_log: Log) -> None:
    """Entries come in order, at most as many as asked for, each exactly once."""
    for pos in range(1, 6):
        await any_log.append(0, "tick", tick(pos).wire())
    first = (await any_log.read({(0, "tick"): START}, count=2, block_ms=0))[0, "tick"]
    rest = (await any_log.read({(0, "tick"): first[-1][0]}, count=9, block_ms=0))[0, "tick"]
    positions = [event.pos for _, event in decode([*first, *rest])]  # type: ignore[union-attr]
    assert positions == [1, 2, 3, 4, 5]
    assert await any_log.read({(1, "tick"): START}, count=9, block_ms=0) == {}


@pytest.mark.parametrize("price", [0.1 + 0.2, 1e-9, 123456.789])
async def test_prices_survive_the_wire_exactly(any_log: Log, price: float) -> None:
    """What is read is the very number that was written."""
    await any_log.append(0, "tick", tick(1, price).wire())
    found = await any_log.read({(0, "tick"): START}, count=1, block_ms=0)
    assert decode(found[0, "tick"])[0][1] == tick(1, price)


async def read_up_to(log: Log, stage: StageName, count: int) -> None:
    """Let a stage say that it has read so many of partition 0's ticks."""
    held = await log.acquire(stage, 0, "w", 3_000)
    assert isinstance(held, Lease)
    await log.commit([Commit(stage, 0, held.token, 0, "tx", {"n:tick": str(count)})])


async def test_trim_leaves_what_one_of_our_stages_has_not_read(any_log: Log) -> None:
    """Of 450 ticks 10 are to be kept, but signals have read only 220: at least 230 stay."""
    for pos in range(1, 451):
        await any_log.append(0, "tick", tick(pos).wire())
    await read_up_to(any_log, "candles", 450)
    await read_up_to(any_log, "signals", 220)
    removed = await any_log.trim("tick", [0, 1], 10)
    left = (await any_log.read({(0, "tick"): START}, count=999, block_ms=0))[0, "tick"]
    # A server cuts whole nodes of a hundred entries.
    assert 120 <= removed <= 220
    assert len(left) == 450 - removed


async def test_trim_cuts_to_the_bound_when_everybody_has_read_everything(any_log: Log) -> None:
    """What all stages have read goes, down to the number that is to be kept."""
    for pos in range(1, 451):
        await any_log.append(0, "tick", tick(pos).wire())
    await read_up_to(any_log, "candles", 450)
    await read_up_to(any_log, "signals", 450)
    assert 300 < await any_log.trim("tick", [0], 100) <= 350
    assert await any_log.trim("tick", [0], 150) == 0
