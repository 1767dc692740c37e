"""What a handler is given, with a group and without, on the real server."""

import pytest

from shared.bus.connection import execute
from shared.bus.consumer import Batch, LogBroker
from shared.bus.cursor import IdCursor
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.events import Event, Ops, Watermark
from tests.bus.consuming import Notes, acknowledged, journal, running, until
from tests.bus.toys import tick, write


@pytest.mark.parametrize(
    ("start", "seen"), [("0", [1, 2, 3, 4]), ("$", [3, 4]), ({0: "7-0"}, [2, 3, 4])]
)
async def test_without_a_group_everybody_sees_everything_after_a_place(
    server_url: str, keys: Keys, redis_log: RedisLog, start: str | dict[int, str], seen: list[int]
) -> None:
    """From the beginning, from now on, or from an id; each subscriber on its own."""
    key = keys.topic(0, "tick")
    await execute(redis_log.redis, "XADD", key, "7-0", *tick(1).wire())
    await execute(redis_log.redis, "XADD", key, "7-1", *tick(2).wire())
    one, two = Notes(), Notes(fail=1)

    def follow(broker: LogBroker) -> None:
        broker.subscribe("tick", start=start)(one.take)
        broker.subscribe("tick", start=start)(two.take)

    async with running(server_url, keys, follow):
        await write(redis_log, [tick(3)])
        await until(lambda: one.positions[-1:] == [3])
        await write(redis_log, [tick(4)])
        await until(lambda: one.positions == seen and two.positions == seen)
    assert one.batches[-1].entries[-1][1] == tick(4)
    assert two.calls[0] != []


async def test_from_now_on_skips_nothing_between_two_reads(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """``$`` is made an id at the start: what is written while nobody reads comes too."""
    notes = Notes()
    broker = LogBroker(server_url, keys)
    broker.subscribe("tick", start="$")(notes.take)
    await broker.start()
    await broker.stop()
    await write(redis_log, [tick(1)])
    await broker.start()
    await until(lambda: notes.positions == [1])
    await broker.stop()


async def test_a_rewind_hands_out_nothing_from_before_the_start(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """1 and 2 stood before ``$``: going back a minute after a failover brings neither."""
    await write(redis_log, [tick(1), tick(2)])
    notes = Notes()

    def subscribe(broker: LogBroker) -> None:
        broker.subscribe("tick", start="$")(notes.take)

    async with running(server_url, keys, subscribe) as broker:
        await write(redis_log, [tick(3)])
        await until(lambda: notes.positions == [3])
        cursor = broker._readers[0].cursor
        assert isinstance(cursor, IdCursor)
        await execute(redis_log.redis, "SET", keys.incarnation(0), "1:another")
        await until(lambda: "1:another" in str(cursor._life))
        await write(redis_log, [tick(4)])
        await until(lambda: 4 in notes.positions)
    assert notes.positions == [3, 4]


async def test_watermarks_are_kept_back_and_foreign_entries_handed_over(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """What is no event comes with its reason and id, and is acknowledged like the rest."""
    mark = Watermark(symbol="*", at=0, pos=9)
    await write(redis_log, [mark], 1)
    await write(redis_log, [mark, tick(10), mark])
    await redis_log.append(0, "tick", ["hello", "\xff"])
    notes = Notes()
    async with running(server_url, keys, journal(notes)):
        await until(lambda: notes.positions == [10])
        await until(lambda: any(batch.unreadable for batch in notes.batches))
        await acknowledged(redis_log)
    (one,) = (found for batch in notes.batches for found in batch.unreadable)
    assert one[1].fields == ("hello", "\xff")
    assert one[1].reason == "not an event: the first two fields must be type and v"
    assert notes.of(1) == []


async def test_an_entry_that_is_trimmed_in_hand_is_told(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """It cannot be handed out again; the handler learns its id, and the rest goes on."""
    key = keys.topic(0, "tick")
    seen: list[Batch] = []
    broker = LogBroker(server_url, keys)

    @broker.subscribe("tick", group="journal", consumer="one")
    async def take(batch: Batch) -> None:
        seen.append(batch)
        if len(seen) == 1:
            await execute(redis_log.redis, "XTRIM", key, "MAXLEN", 1)
            raise OSError("the table is away")

    await write(redis_log, [tick(1), tick(2)])
    await broker.start()
    await until(lambda: len(seen) == 2)
    await broker.stop()
    first, again = seen
    assert [event.pos for event in first.events] == [1, 2]
    assert again.entries == first.entries[1:]
    ((entry_id, lost),) = again.unreadable
    assert (entry_id, lost.reason) == (first.entries[0][0], "trimmed before it was dealt with")


async def test_pending_entries_that_were_trimmed_hold_nobody_up(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """A consumer that was away for long goes on with what is left."""
    await write(redis_log, [tick(1), tick(2)])
    key = keys.topic(0, "tick")
    await execute(redis_log.redis, "XGROUP", "CREATE", key, "journal", "0")
    await execute(redis_log.redis, "XREADGROUP", "GROUP", "journal", "one", "STREAMS", key, ">")
    await execute(redis_log.redis, "XTRIM", key, "MAXLEN", 1)
    notes = Notes()
    async with running(server_url, keys, journal(notes)):
        await until(lambda: notes.positions == [2])
        await acknowledged(redis_log)


def started(at: int) -> Ops:
    """A service's start, in the system's own time."""
    return Ops(
        symbol="*", at=at, pos=0, service="ingest", worker="w", kind="server_start", detail="up"
    )


async def test_ops_is_one_stream(server_url: str, keys: Keys, redis_log: RedisLog) -> None:
    """Operational events are subscribed to like any topic."""
    seen: list[Event] = []

    async def note(batch: Batch) -> None:
        assert (batch.topic, batch.partition) == ("ops", 0)
        seen.extend(batch.events)

    def follow(broker: LogBroker) -> None:
        broker.subscribe("ops", group="pager", consumer="pager")(note)

    await execute(redis_log.redis, "XADD", keys.ops(), "*", *started(1).wire())
    async with running(server_url, keys, follow):
        await until(lambda: len(seen) == 1)
        await execute(redis_log.redis, "XADD", keys.ops(), "*", *started(2).wire())
        await until(lambda: seen == [started(1), started(2)])


@pytest.mark.parametrize(("group", "consumer"), [("journal", None), (None, "one")])
def test_a_group_needs_a_consumer(keys: Keys, group: str | None, consumer: str | None) -> None:
    """A name that outlives restarts, so that nothing pending is left to nobody."""
    broker = LogBroker("redis://127.0.0.1:1", keys)
    with pytest.raises(ValueError, match="names both group and consumer, or neither"):
        broker.subscribe("tick", group=group, consumer=consumer)
