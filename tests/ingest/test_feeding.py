"""The task that writes a spine, on a real log: prices and requests in, commits out, kills."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from random import Random

import pytest

from services.ingest.adapters.feeding import Feeding
from services.ingest.domain.items import Cursors, FeedTime, Item, Resume
from services.ingest.domain.spine import SpineWriter
from shared.bus.backpressure import Backpressure
from shared.bus.keys import Keys
from shared.bus.log import Held
from shared.bus.partitions import partition_of
from shared.bus.progress import Progress
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.session import Session
from shared.bus.topics import Topic
from shared.events import ConfigRequested, DeadLetter, Event
from shared.events.codec import decode
from tests.ingest.lines import TABLE, candle, tick, ticks, time, told

# Nobody renews it: it outlives every stall of the machine.
LEASE_MS = 600_000
PATIENCE_S = 60.0


class Script:
    """A feed that says its lines, again from the cursors each time it is asked, and then ends."""

    name = "script"

    def __init__(self, items: Sequence[Item], batch: int = 3, identity: str = "script") -> None:
        self._items = items
        self._batch = batch
        self._identity = identity

    async def identity(self) -> str:
        return self._identity

    async def symbols(self) -> Sequence[str]:
        return TABLE.symbols

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        resume = Resume(cursors)
        mine = [
            item
            for item in self._items
            if isinstance(item, FeedTime)
            or (item.symbol in symbols and resume.is_new(item.symbol, item.at))
        ]
        for start in range(0, len(mine), self._batch):
            yield mine[start : start + self._batch]
            await asyncio.sleep(0)


class Desk:
    """One partition of a real log, fed by one life after the other."""

    def __init__(self, log: RedisLog, keys: Keys, symbol: str = "EURUSD") -> None:
        self.partition = partition_of(symbol, keys.partitions)
        self._log = log
        self._keys = keys

    async def session(self) -> Session:
        """Take the partition, whoever has it."""
        for _ in range(100):
            lease = await self._log.acquire("feed", self.partition, "test", LEASE_MS)
            if not isinstance(lease, Held):
                return Session(self._log, lease, Progress("feed"), lambda: None)
            await asyncio.sleep(0.01)
        raise AssertionError("the lease was not given back")

    def life(self, feed: Script, ended: asyncio.Event, chosen: Sequence[str] = ()) -> Feeding:
        """One start of the feed stage; ``ended`` is set when the feed has no more to say."""
        pressure = Backpressure(RedisReads(self._log.redis, self._keys), "tick")

        async def finished(partition: int) -> None:
            assert partition == self.partition
            ended.set()

        return Feeding(feed, TABLE, chosen, pressure, finished)

    async def play(self, feed: Script, chosen: Sequence[str] = ()) -> None:
        """Run until the feed has ended and everything of it is written."""
        ended = asyncio.Event()
        task = asyncio.create_task(self.life(feed, ended, chosen).run(await self.session()))
        await asyncio.wait_for(ended.wait(), PATIENCE_S)
        await _kill(task)

    async def die(self, feed: Script, after_s: float) -> None:
        """Run and be killed so much later."""
        task = asyncio.create_task(self.life(feed, asyncio.Event()).run(await self.session()))
        await asyncio.sleep(after_s)
        await _kill(task)

    async def ask(self, event: Event) -> None:
        """Post into the partition's inbox."""
        await self._log.append(self.partition, "inbox", event.wire())

    async def events(self, topic: Topic = "tick") -> list[Event]:
        """Everything that stands in one of the partition's topics."""
        at = (self.partition, topic)
        raw = await self._log.read({at: "0-0"}, count=10_000, block_ms=0)
        events = [event for _, event in decode(raw.get(at, []))]
        assert all(isinstance(event, Event) for event in events)
        return events  # type: ignore[return-value]


async def _kill(task: asyncio.Task[None]) -> None:
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.2)
    with suppress(asyncio.CancelledError):
        task.result()


@pytest.fixture
def desk(redis_log: RedisLog, keys: Keys) -> Desk:
    """The partition of EURUSD."""
    return Desk(redis_log, keys)


def rules(version: str) -> ConfigRequested:
    return ConfigRequested(
        symbol="*", at=1, pos=0, kind="rules", name="liquidity", version=version, body={}
    )


async def test_a_feed_becomes_a_spine(desk: Desk) -> None:
    """What the writer decides of the feed's items stands in the log, in order."""
    line = ticks("14:00:01 1.10 | 14:00:30 1.11 | 14:00:40 -1 | 14:01:05 1.12")
    await desk.play(Script([*line, time("14:02:05")]))
    assert told(await desk.events()) == [
        "config instrument EURUSD",
        "tick EURUSD 14:00:01 1.1 n0",
        "tick EURUSD 14:00:30 1.11 n1",
        "close EURUSD 14:01 1m",
        "tick EURUSD 14:01:05 1.12 n0",
        "close EURUSD 14:02 1m",
        "heartbeat 14:02",
    ]
    assert told(await desk.events("dead_letter")) == [
        "dead EURUSD price -1.0 is not a positive number"
    ]


async def test_what_waits_in_the_inbox_stands_before_the_first_price(desk: Desk) -> None:
    """Rules that were asked for before the start decide on every price."""
    await desk.ask(rules("v1"))
    await desk.ask(rules("v1"))
    await desk.play(Script(ticks("14:00:01 1.10")))
    assert told(await desk.events())[:2] == ["config rules liquidity", "config instrument EURUSD"]
    await desk.play(Script(ticks("14:00:01 1.10")))
    assert [event.TYPE for event in await desk.events()] == ["config", "config", "tick"]


async def test_what_does_not_belong_into_the_inbox_is_stepped_over(desk: Desk) -> None:
    """A foreign entry is kept as a dead letter, and the request behind it is heard."""
    await desk.ask(
        DeadLetter(
            symbol="*",
            at=0,
            pos=0,
            stage="x",
            topic="x",
            entry="1-1",
            reason="r",
            digest="d",
            body=[],
        )
    )
    await desk.ask(rules("v1"))
    await desk.play(Script([]))
    assert told(await desk.events()) == ["config rules liquidity"]
    (letter,) = await desk.events("dead_letter")
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "the inbox takes config_requested, not dead_letter"


async def test_only_chosen_symbols_are_taken(desk: Desk) -> None:
    """Symbols that the settings leave out are not asked of the feed."""
    await desk.play(Script(ticks("14:00:01 1.10")), chosen=["DAX"])
    assert await desk.events() == []


async def test_another_feed_is_heard_from_its_beginning(desk: Desk) -> None:
    """Cursors of one source say nothing of another: what is then too old is told, not skipped."""
    await desk.play(Script(ticks("14:00:01 1.10 | 14:05:01 1.10"), identity="one"))
    await desk.play(Script(ticks("14:00:01 1.10 | 14:05:02 1.10"), identity="two"))
    assert told(await desk.events())[-1] == "tick EURUSD 14:05:02 1.1 n1"
    (letter,) = told(await desk.events("dead_letter"))
    assert letter.startswith("dead EURUSD late: a price of 2026-06-10T14:00:01Z")


@pytest.mark.parametrize("seed", range(4))
async def test_killed_again_and_again_the_spine_is_the_same(desk: Desk, seed: int) -> None:
    """A feed stage that dies at any moment and starts again loses, doubles and moves nothing."""
    chance = Random(seed)
    items: list[Item] = [candle("15m", "13:45", (1.1, 1.2, 1.0, 1.1))]
    for number in range(300):
        minute, second = divmod(number * 2, 60)
        items.append(tick(f"14:{minute:02d}:{second:02d}", chance.choice([1.1, 1.2, -1.0])))
        if second == 58:
            items.append(time(f"14:{minute + 1:02d}"))
    feed = Script(items, batch=chance.choice([1, 7]))
    for _ in range(6):
        await desk.die(feed, chance.random() * 0.1)
    await desk.play(feed)
    expected = SpineWriter(TABLE, {}).process(items)
    letters = [event for event in expected if isinstance(event, DeadLetter)]
    assert await desk.events() == [one for one in expected if not isinstance(one, DeadLetter)]
    assert await desk.events("dead_letter") == letters
