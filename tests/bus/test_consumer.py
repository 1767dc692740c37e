"""Subscriptions on the real server: the backlog is seen, failures come again, restarts go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from shared.bus.connection import execute
from shared.bus.consumer import Batch, LogBroker, Upkeep
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.events import Event, Ops, Watermark
from tests.bus.toys import tick, write

# Fast enough for a test; a consumer counts as gone after what a handler here may take.
QUICK = Upkeep(every_s=0.05, orphaned_after_ms=200)


@asynccontextmanager
async def running(
    url: str, keys: Keys, *subscriptions: Callable[[LogBroker], None]
) -> AsyncIterator[LogBroker]:
    """A broker with subscriptions, from start to stop."""
    broker = LogBroker(url, keys, upkeep=QUICK)
    for subscribe in subscriptions:
        subscribe(broker)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


class Notes:
    """A handler that notes what it is given; ``fail`` says how often it raises first."""

    def __init__(self, fail: int = 0) -> None:
        self.batches: list[Batch] = []
        self.calls: list[list[int]] = []
        self.fail = fail

    async def take(self, batch: Batch) -> None:
        """Notes a batch."""
        self.calls.append([event.pos for event in batch.events])
        if self.fail > 0:
            self.fail -= 1
            raise OSError("the table is away")
        self.batches.append(batch)

    @property
    def positions(self) -> list[int]:
        return [event.pos for batch in self.batches for event in batch.events]

    def of(self, partition: int) -> list[int]:
        found = [batch for batch in self.batches if batch.partition == partition]
        return [event.pos for batch in found for event in batch.events]


def journal(notes: Notes, consumer: str = "one") -> Callable[[LogBroker], None]:
    """A subscription of the group ``journal`` to ticks."""

    def subscribe(broker: LogBroker) -> None:
        broker.subscribe("tick", group="journal", consumer=consumer)(notes.take)

    return subscribe


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true, five seconds at most."""
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 5 s")


async def pending(log: RedisLog, partition: int = 0) -> int:
    """Entries handed out in a partition and not acknowledged."""
    key = log.keys.topic(partition, "tick")
    return int((await execute(log.redis, "XPENDING", key, "journal"))["pending"])


async def acknowledged(log: RedisLog) -> None:
    """Wait until every partition's entries are acknowledged."""
    for _ in range(500):
        if sum([await pending(log, one) for one in range(log.partitions)]) == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("entries are still pending after 5 s")


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
    async with running(server_url, keys, journal(notes, "two")):
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
    async with running(server_url, keys, journal(notes)) as broker:
        assert broker.stalled() == []
        await broker._readers[1].cursor.subscriber.stop()
        assert broker.stalled() == ["the subscription to tick, partition 1, has stopped"]


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


async def test_a_stop_does_not_wait_for_a_handler_that_fails(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Between two attempts the broker stops at once, and the entries stay pending."""
    notes = Notes(fail=10**9)
    await write(redis_log, [tick(1)])
    async with running(server_url, keys, journal(notes)):
        await until(lambda: len(notes.calls) == 3)
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < 1
    assert await pending(redis_log) == 1


@pytest.mark.parametrize(("group", "consumer"), [("journal", None), (None, "one")])
def test_a_group_needs_a_consumer(keys: Keys, group: str | None, consumer: str | None) -> None:
    """A name that outlives restarts, so that nothing pending is left to nobody."""
    broker = LogBroker("redis://127.0.0.1:1", keys)
    with pytest.raises(ValueError, match="names both group and consumer, or neither"):
        broker.subscribe("tick", group=group, consumer=consumer)
