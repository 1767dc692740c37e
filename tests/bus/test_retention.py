"""Topics are bounded by size and age; who still needs what is in them is another matter."""

import pytest

from shared.bus.connection import execute
from shared.bus.keys import KEY_KINDS, Keys, kind_of
from shared.bus.log import BusError, Commit, Lease
from shared.bus.readers import Readers, ReaderState
from shared.bus.redis_log import RedisLog
from shared.bus.retention import Bounds
from shared.bus.topics import StageName, Topic
from shared.bus.trimming import Loss, Trimmer

TOPIC: Topic = "signal_generated"


async def fill(log: RedisLog, count: int, *, first_ms: int = 1, topic: Topic = TOPIC) -> list[str]:
    """Write entries a millisecond apart into partition 0 and return their ids.

    They are small, so that a server keeps 100 of them a node: it cuts whole nodes.
    """
    stream = log.keys.topic(0, topic)
    return [
        str(await execute(log.redis, "XADD", stream, f"{first_ms + n}-0", "n", n))
        for n in range(count)
    ]


async def has_read(log: RedisLog, stage: StageName, ids: list[str], topic: Topic = TOPIC) -> None:
    """Let a stage commit that it has read these entries, the first of partition 0."""
    held = await log.acquire(stage, 0, "w", 3_000)
    assert isinstance(held, Lease)
    checkpoint = {topic: ids[-1], f"n:{topic}": str(len(ids))}
    await log.commit([Commit(stage, 0, held.token, held.seq, "tx", checkpoint)])


async def trim(log: RedisLog, bounds: Bounds, now_s: int = 0) -> tuple[int, list[object]]:
    """Entries left of partition 0's topic after a cut, and what the script said of readers."""
    ((_, *losses),) = await Trimmer(log.redis, log.keys)._cut(TOPIC, [0], bounds, now_s)
    return int(await execute(log.redis, "XLEN", log.keys.topic(0, TOPIC))), losses


async def read(log: RedisLog, reader: str, count: int, *, ack: bool = True) -> None:
    """Read on as a member of a group."""
    stream = log.keys.topic(0, TOPIC)
    rows = await execute(
        log.redis, "XREADGROUP", "GROUP", reader, "one", "COUNT", count, "STREAMS", stream, ">"
    )
    if ack:
        entries = rows[0][1] if isinstance(rows, list) else rows[stream][0]
        await log.redis.xack(stream, reader, *(entry[0] for entry in entries))


async def test_old_entries_go_once_they_were_read(redis_log: RedisLog) -> None:
    """Of 300 entries the first 200 are older than an hour and read: whole nodes of them go."""
    old = await fill(redis_log, 200, first_ms=1_000_000)
    new = await fill(redis_log, 100, first_ms=9_000_000)
    await has_read(redis_log, "notifier", old + new)
    assert await trim(redis_log, Bounds(1_000, 3_600, 2_000), now_s=9_001) == (100, [])


async def test_age_does_not_take_what_a_stage_has_not_read(redis_log: RedisLog) -> None:
    """However old: the notifier has read 120 of 300, so at least 181 stay, its last one too."""
    ids = await fill(redis_log, 300, first_ms=1_000)
    await has_read(redis_log, "notifier", ids[:120])
    left, _ = await trim(redis_log, Bounds(10, 1, 20), now_s=1_000_000)
    assert left == 200


async def test_a_stage_that_never_ran_has_read_nothing(redis_log: RedisLog) -> None:
    """It is waited for from the beginning, not from its first commit on."""
    await fill(redis_log, 300)
    assert await trim(redis_log, Bounds(10, 1, 20), now_s=1_000_000) == (300, [])


async def test_a_reader_is_waited_for_up_to_a_limit(redis_log: RedisLog) -> None:
    """It has read nothing of 300 entries; 400 may be held back for it."""
    ids = await fill(redis_log, 300)
    await has_read(redis_log, "notifier", ids)
    await Readers(redis_log.redis, redis_log.keys).add("journal", TOPIC)
    assert await trim(redis_log, Bounds(100, 1, 400), now_s=1_000_000) == (300, [])
    assert await trim(redis_log, Bounds(100, 0, 400)) == (300, [])


async def test_beyond_the_limit_a_reader_is_expelled_with_its_loss_counted(
    redis_log: RedisLog,
) -> None:
    """200 may be held back for it, it needs 260 of 300: to 100 it is cut, 160 of them unread."""
    ids = await fill(redis_log, 300)
    await has_read(redis_log, "notifier", ids)
    registered = Readers(redis_log.redis, redis_log.keys)
    await registered.add("journal", TOPIC)
    await read(redis_log, "journal", 40)
    assert await trim(redis_log, Bounds(100, 0, 200)) == (100, ["journal", 160])
    (state,) = await registered.states()
    assert state == ReaderState("journal", TOPIC, behind=100, pending=0, lost=160, expelled=())


async def test_a_loss_is_counted_once(redis_log: RedisLog) -> None:
    """The next cut counts only what it takes itself."""
    ids = await fill(redis_log, 300)
    await has_read(redis_log, "notifier", ids)
    registered = Readers(redis_log.redis, redis_log.keys)
    await registered.add("journal", TOPIC)
    assert await trim(redis_log, Bounds(200, 0, 200)) == (200, ["journal", 100])
    assert await trim(redis_log, Bounds(100, 0, 100)) == (100, ["journal", 100])
    assert await trim(redis_log, Bounds(100, 0, 100)) == (100, [])
    (state,) = await registered.states()
    assert (state.behind, state.lost) == (100, 200)


async def test_a_reader_that_reads_on_after_its_loss_is_waited_for_again(
    redis_log: RedisLog,
) -> None:
    """What it has read since is not held against it."""
    ids = await fill(redis_log, 300)
    await has_read(redis_log, "notifier", ids)
    registered = Readers(redis_log.redis, redis_log.keys)
    await registered.add("journal", TOPIC)
    await trim(redis_log, Bounds(100, 0, 100))
    await read(redis_log, "journal", 100)
    (state,) = await registered.states()
    assert (state.behind, state.lost) == (0, 200)
    more = await fill(redis_log, 200, first_ms=1_000)
    await has_read(redis_log, "notifier", ids + more)
    assert await trim(redis_log, Bounds(100, 0, 200)) == (200, [])


async def test_what_was_handed_out_is_unread_until_it_is_acknowledged(redis_log: RedisLog) -> None:
    """A consumer that dies with entries in hand has not had them."""
    ids = await fill(redis_log, 300)
    await has_read(redis_log, "notifier", ids)
    registered = Readers(redis_log.redis, redis_log.keys)
    await registered.add("journal", TOPIC)
    await read(redis_log, "journal", 300, ack=False)
    (state,) = await registered.states()
    assert (state.behind, state.pending) == (300, 300)
    assert await trim(redis_log, Bounds(100, 1, 300), now_s=1_000_000) == (300, [])
    assert await trim(redis_log, Bounds(100, 0, 299)) == (100, ["journal", 200])


async def test_a_trimmer_tells_every_loss(redis_log: RedisLog, keys: Keys) -> None:
    """Which reader lost how much of what; the server's own time says what is old."""
    ids = await fill(redis_log, 300)
    await has_read(redis_log, "notifier", ids)
    await Readers(redis_log.redis, keys).add("archive", TOPIC)
    bounds = {TOPIC: Bounds(entries=1_000, age_s=3_600, held=200)}
    losses = await Trimmer(redis_log.redis, keys, bounds).trim("signals", [1, 0])
    assert losses == [Loss("archive", TOPIC, 0, 200)]


async def test_readers_come_and_go(redis_log: RedisLog, keys: Keys) -> None:
    """A reader may be added again; one that is removed leaves no trace."""
    registered = Readers(redis_log.redis, keys)
    await registered.add("journal", TOPIC)
    await registered.add("journal", TOPIC)
    await registered.add("journal", "tick", "$")
    names = [(one.reader, one.topic) for one in await registered.states()]
    assert names == [("journal", "tick"), ("journal", TOPIC)]
    assert await registered.remove("journal", TOPIC)
    assert not await registered.remove("journal", TOPIC)
    assert not await registered.remove("journal", "alert_fired")
    assert [one.topic for one in await registered.states()] == ["tick"]


async def test_a_reader_may_begin_with_what_comes(redis_log: RedisLog, keys: Keys) -> None:
    """From $ on nothing of the past is held back."""
    await fill(redis_log, 5)
    registered = Readers(redis_log.redis, keys)
    await registered.add("late", TOPIC, "$")
    await registered.add("early", TOPIC)
    assert [(one.reader, one.behind) for one in await registered.states()] == [
        ("early", 5),
        ("late", 0),
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [("signals", "signals is one of our stages"), ("a b", "a reader's name is 1 to 64 letters")],
)
async def test_a_reader_needs_a_name_of_its_own(
    redis_log: RedisLog, keys: Keys, name: str, why: str
) -> None:
    """Stages have their own groups, which nobody else may move."""
    with pytest.raises(BusError, match=why):
        await Readers(redis_log.redis, keys).add(name, TOPIC)


def test_every_key_of_the_log_is_of_a_known_kind() -> None:
    """Each builder of key names makes one that the table knows, and no two kinds overlap."""
    keys = Keys("n", 4)
    made = [
        keys.topic(3, "tick"),
        keys.lease(3, "feed"),
        keys.checkpoint(3, "feed"),
        keys.state(3, "feed"),
        keys.view(3, "feed"),
        keys.incarnation(3),
        keys.losses(3),
        keys.seen(3, "pushed"),
        keys.members("sender"),
        keys.client_id("ibkr", 7),
        keys.account("candles", "host-7"),
        keys.meta(),
        keys.budget("twelvedata"),
        keys.ops(),
    ]
    assert [kind_of(key) for key in made] == list(KEY_KINDS)
    assert kind_of("n:{3}:trade") is None
