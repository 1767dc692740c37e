"""A server that is away in any of its ways is waited out: shown meanwhile, and nothing is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import StageWorker
from shared.bus.tasks import end
from shared.clock import SystemClock
from tests.bus.toys import COUNT, close, write
from tests.service.toys import Power, started
from tideline.embedded import EmbeddedServer

PATIENCE_S = 60.0
Break = Callable[[RedisLog, Power], Awaitable[Callable[[], Awaitable[object]]]]
"""Breaks a server, and returns what mends it."""


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[tuple[RedisLog, Power]]:
    """A log on a server that this test alone may break."""
    server = EmbeddedServer(tmp_path / "data", tmp_path / "s")
    async with started(server) as power:
        log = RedisLog(server.url, Keys("own", 1))
        await log.heartbeat("feed", "nobody", 0)  # waits until it is there
        yield log, power
        await log.close()


async def config(log: RedisLog, name: str, value: str) -> None:
    await execute(log.redis, "CONFIG", "SET", name, value)


async def full(log: RedisLog, power: Power) -> Callable[[], Awaitable[object]]:
    """OOM: what may be used is used."""
    await config(log, "maxmemory", "1")
    return lambda: config(log, "maxmemory", "0")


async def demoted(log: RedisLog, power: Power) -> Callable[[], Awaitable[object]]:
    """READONLY: a replica of a master that is not there."""
    await execute(log.redis, "REPLICAOF", "127.0.0.1", "1")
    return lambda: execute(log.redis, "REPLICAOF", "NO", "ONE")


async def hung(log: RedisLog, power: Power) -> Callable[[], Awaitable[object]]:
    """Nothing at all: the process does not run, though its socket is there."""
    pid = power._process.pid
    os.kill(pid, signal.SIGSTOP)

    async def mend() -> None:
        os.kill(pid, signal.SIGCONT)

    return mend


async def gone(log: RedisLog, power: Power) -> Callable[[], Awaitable[object]]:
    """Killed, and started again from its file."""
    await execute(log.redis, "CONFIG", "SET", "appendfsync", "always")
    await power.off()
    return power.on


async def busy(log: RedisLog, power: Power) -> Callable[[], Awaitable[object]]:
    """BUSY: somebody's script does not end, until an operator ends it."""
    await config(log, "busy-reply-threshold", "50")
    path = log.redis.connection_pool.connection_kwargs["path"]
    somebody = Redis(unix_socket_path=path, socket_timeout=None)
    endless = asyncio.create_task(execute(somebody, "EVAL", "while true do end", 0))

    async def mend() -> None:
        await execute(log.redis, "SCRIPT", "KILL")
        with pytest.raises(ResponseError, match="killed"):
            await endless
        await somebody.aclose()

    return mend


@pytest.mark.parametrize("broken", [full, demoted, hung, gone, busy])
async def test_a_server_that_is_away_loses_nothing(
    own: tuple[RedisLog, Power], broken: Break
) -> None:
    """Twenty closes stand before, twenty come after: forty candles, in order, each once."""
    log, power = own
    worker = StageWorker(log, COUNT, "w", SystemClock())
    running = asyncio.create_task(worker.run())
    await write(log, [close(pos, pos) for pos in range(1, 21)])
    try:
        mend = await broken(log, power)
        # An idle worker notices when it renews its leases. One that hangs gets no answer at all.
        is_shown = broken is hung or await true(lambda: log.waits.longest()[0] > 0)
        await mend()
        assert await true(lambda: log.waits.longest()[0] == 0)
        await write(log, [close(pos, pos) for pos in range(21, 41)])
        assert await candles(log, 40) == list(range(1, 41))
        assert is_shown
    finally:
        await end([running])


async def true(what: Callable[[], bool]) -> bool:
    """Whether something becomes true in time; a client notices after 5 s that a server is mute."""
    until = asyncio.get_running_loop().time() + PATIENCE_S
    while asyncio.get_running_loop().time() < until:
        if what():
            return True
        await asyncio.sleep(0.01)
    return False


async def candles(log: RedisLog, count: int) -> list[int]:
    """Positions of the candles written, once they are so many, after a while in any case."""
    found: list[int] = []
    until = asyncio.get_running_loop().time() + PATIENCE_S
    while len(found) < count and asyncio.get_running_loop().time() < until:
        entries = await execute(log.redis, "XRANGE", log.keys.topic(0, "candle_closed"), "-", "+")
        named = [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in entries]
        found = [int(one["pos"]) for one in named if one["type"] == "candle_closed"]
        await asyncio.sleep(0.01)
    return found


@asynccontextmanager
async def proxy(server: Path, answer: list[bytes]) -> AsyncIterator[str]:
    """The address of a proxy that passes everything on, unless there is an answer to give."""

    open_ends: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(server)

        open_ends.extend((forth, writer))

        async def replies() -> None:
            while data := await back.read(65_536):
                writer.write(data)

        task = asyncio.create_task(replies())
        while data := await reader.read(65_536):
            if answer:
                writer.write(answer[0] * max(1, data.count(b"EVALSHA") + data.count(b"XREAD")))
            else:
                forth.write(data)
        await end([task])

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0"
    finally:
        listening.close()
        for one in open_ends:
            one.close()
        await asyncio.gather(*(one.wait_closed() for one in open_ends), return_exceptions=True)


@pytest.mark.parametrize(
    "said",
    [
        "BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "LOADING Redis is loading the dataset in memory",
        "CLUSTERDOWN The cluster is down",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "MASTERDOWN Link with MASTER is down",
        "NOREPLICAS Not enough good replicas to write.",
        "NOSCRIPT No matching script. Please use EVAL.",
    ],
)
async def test_an_answer_that_will_pass_is_waited_out(
    own: tuple[RedisLog, Power], tmp_path: Path, said: str
) -> None:
    """Whatever is asked is asked again, and the reason is shown as the server gave it."""
    answer: list[bytes] = []
    async with proxy(tmp_path / "s", answer) as url:
        log = RedisLog(url, Keys("own", 1))
        worker = StageWorker(log, COUNT, "w", SystemClock())
        running = asyncio.create_task(worker.run())
        await write(own[0], [close(pos, pos) for pos in range(1, 4)])
        try:
            answer.append(f"-{said}\r\n".encode())
            assert await true(lambda: said.split()[-1] in log.waits.longest()[1])
            answer.clear()
            await write(own[0], [close(pos, pos) for pos in range(4, 7)])
            assert await candles(own[0], 6) == [1, 2, 3, 4, 5, 6]
        finally:
            await end([running])
            await log.close()
