"""Workers that come, stop and crash, on the real server: who has which partition, and how soon."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from shared.bus import owner
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.lease import LEASE_TTL_MS
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import StageWorker
from shared.bus.tasks import end
from shared.bus.topics import StageName
from shared.clock import SystemClock
from tests.bus.toys import COUNT

PATIENCE_S = 60.0
Begin = Callable[[str], "Crew"]


class BeatingLog(RedisLog):
    """Counts heartbeats: what a worker does at its next one does not depend on the machine."""

    beats = 0

    async def heartbeat(self, stage: StageName, worker: str, ttl_ms: int) -> list[str]:
        self.beats += 1
        return await super().heartbeat(stage, worker, ttl_ms)


class Crew:
    """One worker with its own connections, that can crash as well as stop.

    ``shares`` has the partitions that it owned after each of its heartbeats.
    """

    def __init__(self, log: BeatingLog, name: str) -> None:
        self.log = log
        self.shares: dict[int, list[int]] = {}
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

    async def next_share(self) -> list[int]:
        """What it owns after the next heartbeat that begins from now on."""
        beat = self.log.beats + 1
        async with asyncio.timeout(PATIENCE_S):
            while beat not in self.shares:  # noqa: ASYNC110 a heartbeat has no event
                await asyncio.sleep(0.01)
        return self.shares[beat]

    async def _work(self) -> None:
        while True:
            await self.worker.turn()
            self.shares.setdefault(self.log.beats, self.partitions)


@pytest.fixture
async def begin(server_url: str, keys: Keys) -> AsyncIterator[Begin]:
    """Starts workers; those that still run at the end crash."""
    crews: list[Crew] = []

    def one(name: str) -> Crew:
        crews.append(Crew(BeatingLog(server_url, keys), name))
        return crews[-1]

    yield one
    for crew in crews:
        await crew.crash()


async def settled(*crews: Crew) -> list[int]:
    """Wait until all four partitions are shared out evenly; returns the sizes of the shares."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            sizes = sorted(len(crew.partitions) for crew in crews)
            if sum(sizes) == 4 and sizes[-1] - sizes[0] <= 1:
                return sizes
            await asyncio.sleep(0.01)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases and memberships that nobody lives to see the end of, though the machine stands still.

    Whoever takes a partition over was given it.
    """
    monkeypatch.setattr(owner, "LEASE_TTL_MS", round(10 * PATIENCE_S * 1000))


async def server_ms(log: RedisLog) -> int:
    """The server's time."""
    seconds, micros = await log.redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def tokens(log: RedisLog) -> dict[int, str]:
    """The token of each partition's lease."""
    return {
        partition: str(
            await execute(log.redis, "HGET", log.keys.lease(partition, "candles"), "token")
        )
        for partition in range(log.partitions)
    }


async def test_crashed_workers_partitions_are_taken_within_two_leases(
    begin: Begin, redis_log: RedisLog
) -> None:
    """Its leases and its membership run out, and the next beat gives the survivor everything.

    A beat is a sixth of a lease; so this is told in leases and beats, not by this machine's clock.
    """
    assert 2 * owner._BEAT_S <= LEASE_TTL_MS / 1000
    one, two = begin("one"), begin("two")
    await settled(one, two)
    await one.crash()
    over = await server_ms(redis_log) + LEASE_TTL_MS
    async with asyncio.timeout(PATIENCE_S):
        while await server_ms(redis_log) <= over:  # noqa: ASYNC110 another's clock
            await asyncio.sleep(0.01)
    assert await two.next_share() == [0, 1, 2, 3]


@pytest.mark.usefixtures("endless")
async def test_stopped_workers_partitions_are_taken_at_once(begin: Begin) -> None:
    """It gives them back, so that nobody waits for a lease to run out: the next beat is enough."""
    one, two = begin("one"), begin("two")
    await settled(one, two)
    await one.stop()
    assert await two.next_share() == [0, 1, 2, 3]


@pytest.mark.usefixtures("endless")
async def test_shares_differ_by_one_partition_at_most(begin: Begin) -> None:
    """Four partitions among three workers, then among two."""
    crews = [begin(name) for name in ("one", "two", "three")]
    assert await settled(*crews) == [1, 1, 2]
    await crews[0].stop()
    assert await settled(*crews[1:]) == [2, 2]


@pytest.mark.usefixtures("endless")
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
