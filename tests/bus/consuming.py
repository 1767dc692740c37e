"""Brokers with subscriptions, and a handler that notes what it is given."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from shared.bus.connection import execute
from shared.bus.consumer import Batch, LogBroker, Upkeep
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog

PATIENCE_S = 60.0
# Fast enough for a test; but a machine that stands still for a while makes no consumer one that is
# gone, whose entries another would be given too.
QUICK = Upkeep(every_s=0.05, orphaned_after_ms=600_000)
# For tests in which nobody else is at work: soon gone.
SOON_GONE = Upkeep(every_s=0.05, orphaned_after_ms=200)


@asynccontextmanager
async def running(
    url: str,
    keys: Keys,
    *subscriptions: Callable[[LogBroker], None],
    upkeep: Upkeep = QUICK,
) -> AsyncIterator[LogBroker]:
    """A broker with subscriptions, from start to stop."""
    broker = LogBroker(url, keys, upkeep=upkeep)
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
    """Wait for something to become true.

    Far longer than FastStream pauses after a lost connection, which is five seconds.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 a handler's notes have no event
            await asyncio.sleep(0.01)


async def pending(log: RedisLog, partition: int = 0) -> int:
    """Entries handed out in a partition and not acknowledged."""
    key = log.keys.topic(partition, "tick")
    return int((await execute(log.redis, "XPENDING", key, "journal"))["pending"])


async def acknowledged(log: RedisLog) -> None:
    """Wait until every partition's entries are acknowledged."""
    async with asyncio.timeout(PATIENCE_S):
        while sum(  # noqa: ASYNC110 the server tells nobody
            [await pending(log, one) for one in range(log.partitions)]
        ):
            await asyncio.sleep(0.01)
