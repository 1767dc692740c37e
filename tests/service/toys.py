"""A service made of toys, run inside the test."""

import asyncio
import contextlib
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.step import StageSpec
from shared.clock import Clock
from shared.events import Ops
from shared.events.codec import decode
from shared.service.frame import Service
from shared.service.settings import ServiceSettings
from tests.bus.toys import COUNT
from tideline.embedded import EmbeddedServer


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def settings_for(url: str, keys: Keys) -> ServiceSettings:
    """Settings of a service on this log, with a port of its own."""
    return ServiceSettings.load(
        redis_url=url,
        namespace=keys.namespace,
        partitions=keys.partitions,
        worker="toy-1",
        internal_port=free_port(),
    )


def toy(
    url: str, keys: Keys, *, stage: StageSpec | None = COUNT, clock: Clock | None = None
) -> Service:
    """A service that counts ticks."""
    service = Service("toy", settings_for(url, keys), clock)
    if stage is not None:
        service.add_stage(stage)
    return service


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """The service while it runs, and a client of its internal port."""
    task = asyncio.create_task(service.run())
    address = f"http://127.0.0.1:{service.settings.internal_port}"
    try:
        async with httpx.AsyncClient(base_url=address) as client:
            await until(lambda: answers(client, "/livez", 200))
            yield client
    finally:
        service.stop()
        await asyncio.wait_for(task, 10)


async def answers(client: httpx.AsyncClient, path: str, status: int) -> bool:
    """Whether a path is answered with this status now."""
    with contextlib.suppress(httpx.TransportError):
        return (await client.get(path)).status_code == status
    return False


async def until(true: Callable[[], object]) -> None:
    """Wait for something to become true, five seconds at most; it may be awaitable."""
    for _ in range(500):
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 5 s")


async def told(log: RedisLog) -> list[Ops]:
    """What operators were told, in order."""
    entries = await execute(log.redis, "XRANGE", log.keys.ops(), "-", "+")
    return [event for _, event in decode(entries) if isinstance(event, Ops)]


async def ready(service: Service) -> None:
    """Wait until a running service says so."""
    await until(lambda: service.not_ready() == [])


class Power:
    """Switches a server on and off."""

    def __init__(self, server: EmbeddedServer, *options: str) -> None:
        self._command = [*server.command(), *options]

    async def on(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*self._command, stdout=DEVNULL)

    async def off(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def started(server: EmbeddedServer, *options: str) -> AsyncIterator[Power]:
    """A server, and the switch to it."""
    power = Power(server, *options)
    await power.on()
    try:
        yield power
    finally:
        await power.off()
