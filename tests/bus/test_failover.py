"""Failovers to a replica that lags, as readers outside the log see them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.lives import Lives
from shared.bus.log import Lease
from shared.bus.redis_log import RedisLog
from shared.bus.tail import Tail, events
from tests.bus.toys import commit, lease, tick
from tests.chaos.proxy import Ends, Proxy
from tests.chaos.server import Server

KEYS = Keys("failover", partitions=2)
AHEAD_MS = 30_000
PATIENCE_S = 60.0


@dataclass(slots=True)
class House:
    """A log that one worker writes and one reader follows, over a server with a replica."""

    master: Server
    replica: Server
    stream: Proxy
    log: RedisLog
    tail: Tail

    async def fall_back(self) -> None:
        """The master dies, and its replica takes its place on the same address."""
        self.stream.cut()
        self.master.kill()
        await self.replica.promote()

    async def read(self) -> list[int]:
        """The positions of all that the reader gets until nothing more comes."""
        found = []
        while batch := events(await self.tail.read()):
            found += [event.pos for event in batch]
        return found


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Both servers, in a folder whose name is short enough for their sockets."""
    with tempfile.TemporaryDirectory(prefix="tideline-failover-") as name:
        folder = Path(name)
        master, replica = Server(folder, "one"), Server(folder, "two")
        await master.start()
        stream = await replica.follow(master)

        async def dial() -> Ends:
            return await (replica if master.is_dead else master).dial()

        door = Proxy(dial)
        await door.listen(folder / "door.sock")
        log = RedisLog(f"unix://{folder / 'door.sock'}", KEYS)
        tail = Tail(log, ["candle_closed"], lives=Lives(log.redis, KEYS))
        yield House(master, replica, stream, log, tail)
        await log.close()
        for proxy in (door, stream):
            await proxy.close()
        for server in (master, replica):
            await server.close()


async def write(log: RedisLog, held: Lease, seq: int, positions: range) -> str:
    """Commit ticks of these positions; returns the verdict."""
    planned = commit(held, seq, [tick(pos) for pos in positions])
    return (await log.commit([replace(planned, incarnation=held.incarnation)]))[0]


async def caught_up(house: House) -> None:
    """Wait until the replica has everything.

    WAIT would not do: it waits for what its own connection has written, and that is nothing here.
    """
    written = int((await house.master.client.info("replication"))["master_repl_offset"])
    async with asyncio.timeout(PATIENCE_S):
        while await _applied(house.replica) < written:  # noqa: ASYNC110 it tells nobody
            await asyncio.sleep(0.01)


async def _applied(replica: Server) -> int:
    return int((await replica.client.info("replication"))["slave_repl_offset"])


async def test_reader_gets_every_event_once_when_a_failover_takes_some_back(house: House) -> None:
    """1..3 are replicated, 4..6 are not; after the failover 4..6 are written again, then 7..9."""
    held = await lease(house.log)
    assert await write(house.log, held, 0, range(1, 4)) == "OK"
    await caught_up(house)
    house.stream.hold_replies()
    assert await write(house.log, held, 1, range(4, 7)) == "OK"
    assert await house.read() == [1, 2, 3, 4, 5, 6]
    await house.fall_back()
    assert await write(house.log, held, 2, range(7, 10)) == "CONFLICT"
    again = await lease(house.log)
    assert again.seq == 1
    assert again.incarnation.startswith("1:")
    assert await write(house.log, again, 1, range(4, 7)) == "OK"
    assert await write(house.log, again, 2, range(7, 10)) == "OK"
    assert await house.read() == [7, 8, 9]


async def test_reader_ahead_of_the_new_master_goes_back(house: House) -> None:
    """The old master's clock was 30 s ahead: what the new one writes has smaller ids."""
    held = await lease(house.log)
    assert await write(house.log, held, 0, range(1, 4)) == "OK"
    await caught_up(house)
    house.stream.hold_replies()
    seconds, _ = await house.master.client.time()
    key = KEYS.topic(0, "candle_closed")
    fields = [str(value) for value in tick(4).wire()]
    await execute(house.master.client, "XADD", key, f"{seconds * 1000 + AHEAD_MS}-0", *fields)
    assert await house.read() == [1, 2, 3, 4]
    await house.fall_back()
    assert await write(house.log, held, 1, range(4, 6)) == "OK"
    assert await house.read() == [5]


async def test_reader_hears_of_a_new_life_of_the_same_server(house: House) -> None:
    """An operator takes back what was ahead of its time; a stage that had seen more says so."""
    held = await lease(house.log)
    key = KEYS.topic(0, "candle_closed")
    seconds, _ = await house.master.client.time()
    ahead = f"{seconds * 1000 + AHEAD_MS}-0"
    await execute(house.master.client, "XADD", key, ahead, *map(str, tick(3).wire()))
    assert await house.read() == [3]
    await execute(house.master.client, "DEL", key)
    assert await write(house.log, held, 0, range(4, 6)) == "OK"
    assert await house.read() == []
    assert await write(house.log, held, 9, range(9, 10)) == "CONFLICT"
    assert await house.read() == [4, 5]


async def test_reader_that_resumes_after_a_failover_goes_back_too(house: House) -> None:
    """Its offset and incarnation were saved before; 4 is lost and 5 takes its place."""
    held = await lease(house.log)
    assert await write(house.log, held, 0, range(1, 4)) == "OK"
    await caught_up(house)
    house.stream.hold_replies()
    assert await write(house.log, held, 1, range(4, 5)) == "OK"
    assert await house.read() == [1, 2, 3, 4]
    saved, known = dict(house.tail.offsets), house.tail.incarnations
    await house.fall_back()
    assert await write(house.log, held, 2, range(9, 10)) == "CONFLICT"
    assert await write(house.log, await lease(house.log), 1, range(5, 6)) == "OK"
    house.tail = Tail(house.log, ["candle_closed"], saved, Lives(house.log.redis, KEYS), known)
    assert await house.read() == [1, 2, 3, 5]
