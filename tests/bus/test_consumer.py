"""Subscriptions of a group, on the real server: failures come again, restarts go on."""

import asyncio

import pytest

from shared.bus import consumer, reader
from shared.bus.connection import execute
from shared.bus.consumer import LogBroker, Upkeep
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from tests.bus.consuming import (
    PATIENCE_S,
    SOON_GONE,
    Notes,
    acknowledged,
    journal,
    pending,
    running,
    until,
)
from tests.bus.toys import tick, write


async def test_a_new_group_sees_the_backlog(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """What was written before anybody subscribed comes first, then what follows, of all."""
    for partition in range(keys.partitions):
        await write(redis_log, [tick(pos) for pos in range(1, 1201)], partition)
    notes = Notes()
    async with running(server_url, keys, journal(notes)):
        await until(lambda: len(notes.positions) == 1200 * keys.partitions)
        await write(redis_log, [tick(1201)], 2)
        await until(lambda: notes.of(2)[-1:] == [1201])
        await acknowledged(redis_log)
    assert notes.of(2) == list(range(1, 1202))
    assert notes.of(3) == list(range(1, 1201))


async def test_a_restart_goes_on_where_it_was(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Nothing is handed out twice, and what came in between is not lost."""
    before, after = Notes(), Notes()
    await write(redis_log, [tick(1), tick(2)])
    async with running(server_url, keys, journal(before)):
        await until(lambda: before.positions == [1, 2])
    await write(redis_log, [tick(3)])
    async with running(server_url, keys, journal(after)):
        await until(lambda: after.positions == [3])
        await write(redis_log, [tick(4)])
        await until(lambda: after.positions == [3, 4])


async def test_a_failed_batch_comes_again_before_anything_newer(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """The order of a partition is kept; the others go on meanwhile."""
    notes = Notes(fail=2)
    async with running(server_url, keys, journal(notes)):
        await write(redis_log, [tick(1), tick(2)])
        await until(lambda: len(notes.calls) == 1)
        await write(redis_log, [tick(3)])
        await until(lambda: notes.positions == [1, 2, 3])
        await acknowledged(redis_log)
    assert notes.calls[:2] == [notes.calls[0]] * 2


async def test_what_was_handed_out_and_not_finished_comes_again_after_a_crash(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """A consumer of the same name takes up at once what its former life had in hand."""
    await write(redis_log, [tick(1), tick(2), tick(3)])
    key = keys.topic(0, "tick")
    await execute(redis_log.redis, "XGROUP", "CREATE", key, "journal", "0")
    read = ("XREADGROUP", "GROUP", "journal", "one", "COUNT", 2, "STREAMS", key, ">")
    assert len((await execute(redis_log.redis, *read))[0][1]) == 2
    notes = Notes()
    async with running(server_url, keys, journal(notes)):
        await until(lambda: notes.positions == [1, 2, 3])
        await acknowledged(redis_log)


async def test_a_lost_reply_strands_nothing(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Entries that the server handed out but nobody received are found by the upkeep."""
    notes = Notes()
    async with running(server_url, keys, journal(notes)):
        key = keys.topic(0, "tick")
        async with redis_log.redis.pipeline(transaction=True) as pipe:
            pipe.execute_command("XADD", key, "*", *tick(1).wire())
            pipe.execute_command("XREADGROUP", "GROUP", "journal", "one", "STREAMS", key, ">")
            await pipe.execute()
        await write(redis_log, [tick(2)])
        await until(lambda: sorted(notes.positions) == [1, 2])
        await acknowledged(redis_log)


async def test_what_a_consumer_that_is_gone_had_in_hand_goes_to_another(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """After the time that no handler takes, while the other is running."""
    notes = Notes()
    async with running(server_url, keys, journal(notes, "two"), upkeep=SOON_GONE):
        key = keys.topic(0, "tick")
        async with redis_log.redis.pipeline(transaction=True) as pipe:
            pipe.execute_command("XADD", key, "*", *tick(1).wire())
            pipe.execute_command("XREADGROUP", "GROUP", "journal", "one", "STREAMS", key, ">")
            await pipe.execute()
        await until(lambda: notes.positions == [1])
        await acknowledged(redis_log)


async def test_consumers_of_a_group_share_the_entries(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Each entry goes to one of them; another group gets them all."""
    one, two, other = Notes(), Notes(), Notes()

    def board(broker: LogBroker) -> None:
        broker.subscribe("tick", group="board", consumer="board")(other.take)

    async with (
        running(server_url, keys, journal(one, "one")),
        running(server_url, keys, journal(two, "two"), board),
    ):
        for pos in range(1, 41):
            await write(redis_log, [tick(pos)])
        await until(lambda: len(one.positions + two.positions) == len(other.positions) == 40)
    assert sorted(one.positions + two.positions) == other.positions == list(range(1, 41))


async def test_a_group_that_is_destroyed_is_made_again(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Somebody flushed the log: the subscription says so, and begins anew by itself."""
    notes = Notes()
    async with running(server_url, keys, journal(notes)) as broker:
        await write(redis_log, [tick(1)])
        await until(lambda: notes.positions == [1])
        await execute(redis_log.redis, "DEL", keys.topic(0, "tick"))
        await write(redis_log, [tick(2)])
        await until(lambda: notes.positions == [1, 2])
        assert broker.stalled() == []


async def test_a_stopped_subscription_is_told(server_url: str, keys: Keys) -> None:
    """Readiness can name what does not run."""
    notes = Notes()
    # Nobody looks after it, who would start it again meanwhile.
    left_alone = Upkeep(every_s=3_600)
    async with running(server_url, keys, journal(notes), upkeep=left_alone) as broker:
        assert broker.stalled() == []
        await broker._readers[1].cursor.subscriber.stop()
        assert broker.stalled() == ["the subscription to tick, partition 1, has stopped"]


async def test_a_stop_does_not_wait_for_a_handler_that_fails(
    server_url: str, keys: Keys, redis_log: RedisLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two attempts the broker stops at once, and the entries stay pending."""
    # So long a pause, and so much patience with it, that nobody here could wait for its end.
    monkeypatch.setattr(reader, "_PAUSE_LAST_S", 10 * PATIENCE_S)
    monkeypatch.setattr(consumer, "_STOP_S", 10 * PATIENCE_S)
    notes = Notes(fail=10**9)
    async with asyncio.timeout(PATIENCE_S):
        async with running(server_url, keys, journal(notes)) as broker:
            for one in broker._readers:
                one._failures = reader._DOUBLINGS_MAX
            await write(redis_log, [tick(1)])
            await until(lambda: len(notes.calls) == 1)
    assert await pending(redis_log) == 1
