"""Pushed prices on their way to the spine, on a real log: nothing lost, nothing doubled."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from services.ingest.adapters.feeding import Feeding
from services.ingest.adapters.feeds.push.feed import PushFeed
from services.ingest.adapters.feeds.push.inlet import Inlet, Taken
from services.ingest.adapters.feeds.push.parse import Book, read_batch
from shared.bus.backpressure import Backpressure
from shared.bus.keys import Keys
from shared.bus.log import Held
from shared.bus.once import Full
from shared.bus.partitions import partition_of
from shared.bus.progress import Progress
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.session import Session
from shared.bus.tasks import end
from shared.bus.trimming import Trimmer
from shared.events import DeadLetter, Event, Tick
from shared.events.codec import decode
from tests.ingest.lines import TABLE, at

SYMBOL = "EURUSD"
START = at("14:00")
# Nobody renews it: it outlives every stall of the machine.
LEASE_MS = 600_000
BOOK = Book(TABLE)


def rows(first: int, count: int) -> list[object]:
    """Prices that tell their own number, one a second."""
    return [
        {"symbol": SYMBOL, "at": START + number * 1_000_000, "price": 1 + number / 1_000}
        for number in range(first, first + count)
    ]


class Stopped:
    """A clock that stands at the start of the test's prices."""

    def now(self) -> int:
        return START

    def elapsed(self) -> float:
        return 0.0


class Desk:
    """One partition: prices pushed into it, and lives of the feed stage that end anyhow."""

    def __init__(self, log: RedisLog, keys: Keys) -> None:
        self.partition = partition_of(SYMBOL, keys.partitions)
        self.log = log
        self._keys = keys
        self.inlet = Inlet(log.redis, keys)

    async def push(self, batch: Sequence[object], key: str | None = None) -> Taken:
        return await self.inlet.take(read_batch(batch, BOOK, START + 10**11, key))

    async def life(self) -> asyncio.Task[None]:
        """Start a feed stage of this partition."""
        lease = await self.log.acquire("feed", self.partition, "test", LEASE_MS)
        assert not isinstance(lease, Held)
        session = Session(self.log, lease, Progress("feed"), lambda: None)
        feed = PushFeed(self.log, TABLE, Stopped())
        pressure = Backpressure(RedisReads(self.log.redis, self._keys), "tick")
        feeding = Feeding(feed, TABLE, (), pressure, _never)
        return asyncio.create_task(feeding.run(session))

    async def events(self, topic: str = "tick") -> list[Event]:
        place = (self.partition, topic)
        raw = await self.log.read({place: "0-0"}, count=10_000, block_ms=0)  # type: ignore[dict-item]
        found = [event for entries in raw.values() for _, event in decode(entries)]
        assert all(isinstance(event, Event) for event in found)
        return found  # type: ignore[return-value]

    async def prices(self, wanted: int) -> list[float]:
        """The spine's prices, once as many are there as are wanted."""
        found: list[float] = []
        for _ in range(3_000):
            found = [one.price for one in await self.events() if isinstance(one, Tick)]
            if len(found) >= wanted:
                break
            await asyncio.sleep(0.02)
        return found


async def _never(partition: int) -> None:
    raise AssertionError(f"what is pushed into {partition} has no end")


async def kill(task: asyncio.Task[None]) -> None:
    await end([task])
    assert task.cancelled()


@pytest.fixture
def desk(redis_log: RedisLog, keys: Keys) -> Desk:
    """The partition of EURUSD."""
    return Desk(redis_log, keys)


async def test_what_was_pushed_before_the_start_is_taken(desk: Desk) -> None:
    """Prices wait in the log for a feed that is not there yet."""
    assert await desk.push(rows(0, 3)) == Taken(3, 0)
    life = await desk.life()
    assert await desk.prices(3) == [1.0, 1.001, 1.002]
    await kill(life)


async def test_a_batch_sent_again_is_known(desk: Desk) -> None:
    """Only what is new of it is written, and told."""
    assert await desk.push(rows(0, 3)) == Taken(3, 0)
    assert await desk.push(rows(0, 5)) == Taken(2, 3)
    assert await desk.push(rows(0, 5), key="other") == Taken(5, 0)
    assert len(await desk.events("pushed")) == 10


async def test_a_large_batch_is_taken_in_parts(desk: Desk) -> None:
    """No single step of the server is long; the answer is about the whole."""
    assert await desk.push(rows(0, 5_000)) == Taken(5_000, 0)
    assert await desk.push(rows(1_000, 4_500)) == Taken(500, 4_000)


async def test_a_full_stream_takes_nothing(desk: Desk, redis_log: RedisLog, keys: Keys) -> None:
    """A feed that is far behind is told to who pushes; nothing of the batch is forgotten."""
    inlet = Inlet(redis_log.redis, keys, room=2)
    batch = read_batch(rows(0, 3), BOOK, START + 10**9)
    assert await inlet.take(batch) == Taken(3, 0)
    with pytest.raises(Full, match=f"pushed of partition {desk.partition} is full"):
        await inlet.take(batch)


async def test_what_is_not_taken_yet_is_not_trimmed(
    desk: Desk, redis_log: RedisLog, keys: Keys
) -> None:
    """Old entries go once the feed has committed them, and not before."""
    trimmer = Trimmer(redis_log.redis, keys)
    await desk.push(rows(0, 300))
    assert await trimmer.cut("pushed", [desk.partition], 1) == 0
    life = await desk.life()
    assert len(await desk.prices(300)) == 300
    await kill(life)
    assert await trimmer.cut("pushed", [desk.partition], 1) > 0


async def test_what_is_no_price_is_a_dead_letter(desk: Desk) -> None:
    """A foreign entry in the stream is stepped over with its reason."""
    await desk.log.append(desk.partition, "pushed", ["foreign", "entry"])
    await desk.push(rows(0, 1))
    life = await desk.life()
    assert await desk.prices(1) == [1.0]
    await kill(life)
    letters = [one for one in await desk.events("dead_letter") if isinstance(one, DeadLetter)]
    assert [one.body for one in letters if "no pushed price" in one.reason] in (
        [["foreign", "entry"]],
        [],  # the star's letters belong to the star's partition
    )


@pytest.mark.parametrize("seed", range(3))
async def test_killed_again_and_again_every_price_stands_once(desk: Desk, seed: int) -> None:
    """Pushed while feed stages die at any moment: all of it, once, in order."""
    chance = Random(seed)
    pushed = 0
    for _ in range(8):
        life = await desk.life()
        for _ in range(chance.randint(1, 4)):
            count = chance.choice([1, 40, 700])
            assert await desk.push(rows(pushed, count)) == Taken(count, 0)
            pushed += count
            await asyncio.sleep(chance.random() * 0.05)
        await kill(life)
    life = await desk.life()
    assert await desk.prices(pushed) == [1 + number / 1_000 for number in range(pushed)]
    await kill(life)
