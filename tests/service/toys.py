"""A service made of toys, run inside the test."""

import asyncio
import contextlib
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
from shared.events.ops import OpsKind
from shared.service.frame import Service
from shared.service.settings import ServiceSettings
from tests.bus.toys import COUNT
from tests.ports import free_port
from tideline.embedded import EmbeddedServer

PATIENCE_S = 60.0


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
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:
            await until(lambda: answers(client, "/livez", 200))
            yield client
    finally:
        service.stop()
        await asyncio.wait_for(task, PATIENCE_S)


async def answers(client: httpx.AsyncClient, path: str, status: int) -> bool:
    """Whether a path is answered with this status now."""
    with contextlib.suppress(httpx.TransportError):
        return (await client.get(path)).status_code == status
    return False


async def says(client: httpx.AsyncClient, path: str, text: str) -> bool:
    """Whether a path is answered with this text now."""
    return (await client.get(path)).text == text


async def until(true: Callable[[], object]) -> None:
    """Wait for something to become true, as long as a busy machine may take; it may be awaitable.

    Nothing happens between its being found true and the return.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = true()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.01)


async def told(log: RedisLog) -> list[Ops]:
    """What operators were told, in order."""
    entries = await execute(log.redis, "XRANGE", log.keys.ops(), "-", "+")
    return [event for _, event in decode(entries) if isinstance(event, Ops)]


async def was_told(log: RedisLog, kind: OpsKind) -> bool:
    """Whether operators were told something of this kind."""
    return any(event.kind == kind for event in await told(log))


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
