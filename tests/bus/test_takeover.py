"""Workers that come, stop and crash, on the real server: who has which partition, and how soon."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.lease import LEASE_TTL_MS
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import StageWorker
from shared.bus.tasks import end
from shared.clock import SystemClock
from tests.bus.toys import COUNT

LEASE_S = LEASE_TTL_MS / 1000
Begin = Callable[[str], "Crew"]


class Crew:
    """One worker with its own connections, that can crash as well as stop."""

    def __init__(self, log: RedisLog, name: str) -> None:
        self.log = log
        self.worker = StageWorker(log, COUNT, name, SystemClock())
        self._task = asyncio.create_task(self._work())

    @property
    def partitions(self) -> list[int]:
        return sorted(self.worker.partitions)

    async def crash(self) -> None:
        """End between two awaits, with no word to anybody."""
        await end([self._task])
        await self.log.close()

    async def stop(self) -> None:
        """End as a service does that is told to."""
        await end([self._task])
        self.worker.stop()
        await self.worker.run()
        await self.log.close()

    async def _work(self) -> None:
        while True:
            await self.worker.turn()


@pytest.fixture
async def begin(server_url: str, keys: Keys) -> AsyncIterator[Begin]:
    """Starts workers; those that still run at the end crash."""
    crews: list[Crew] = []

    def one(name: str) -> Crew:
        crews.append(Crew(RedisLog(server_url, keys), name))
        return crews[-1]

    yield one
    for crew in crews:
        await crew.crash()


async def settled(*crews: Crew) -> list[int]:
    """Wait until all four partitions are shared out evenly; returns the sizes of the shares."""
    while True:
        sizes = sorted(len(crew.partitions) for crew in crews)
        if sum(sizes) == 4 and sizes[-1] - sizes[0] <= 1:
            return sizes
        await asyncio.sleep(0.01)


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Fail if the block takes longer."""
    async with asyncio.timeout(seconds):
        yield


async def tokens(log: RedisLog) -> dict[int, str]:
    """The token of each partition's lease."""
    return {
        partition: str(
            await execute(log.redis, "HGET", log.keys.lease(partition, "candles"), "token")
        )
        for partition in range(log.partitions)
    }


async def test_crashed_workers_partitions_are_taken_within_two_leases(begin: Begin) -> None:
    """Its leases and its membership run out, and the survivor has everything."""
    one, two = begin("one"), begin("two")
    await settled(one, two)
    await one.crash()
    async with within(2 * LEASE_S):
        assert await settled(two) == [4]


async def test_stopped_workers_partitions_are_taken_at_once(begin: Begin) -> None:
    """It gives them back, so that nobody waits for a lease to run out: the next beat is enough."""
    one, two = begin("one"), begin("two")
    await settled(one, two)
    await one.stop()
    async with within(LEASE_S / 2):
        assert await settled(two) == [4]


async def test_shares_differ_by_one_partition_at_most(begin: Begin) -> None:
    """Four partitions among three workers, then among two."""
    crews = [begin(name) for name in ("one", "two", "three")]
    async with within(4 * LEASE_S):
        assert await settled(*crews) == [1, 1, 2]
        await crews[0].stop()
        assert await settled(*crews[1:]) == [2, 2]


async def test_only_partitions_that_move_change_hands(begin: Begin, redis_log: RedisLog) -> None:
    """A worker joins and stops again: what stays where it is keeps its lease, and never pauses."""
    one = begin("one")
    await settled(one)
    before = await tokens(redis_log)
    two = begin("two")
    await settled(one, two)
    moved = two.partitions
    during = await tokens(redis_log)
    assert {p for p in before if before[p] != during[p]} == set(moved)
    await two.stop()
    await settled(one)
    after = await tokens(redis_log)
    assert {p for p in during if during[p] != after[p]} == set(moved)
