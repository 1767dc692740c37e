"""A reader that tests feed, and the public application on a real port."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from services.charts.adapters.feeding import follow, watch
from services.charts.adapters.hub import Hub
from services.charts.adapters.site import Site
from services.charts.api import build_web
from services.charts.app import build_hub
from services.charts.settings import ChartsSection
from shared.clock import SystemClock
from shared.events import Event
from shared.service.server import Server
from shared.service.web import public_app as served


@dataclass
class FedReader:
    """Hands out what was put in.

    ``shown`` are the views of candles, ``fresh`` those of the data: not to be had while ``away``.
    """

    waiting: list[Event] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    fresh: dict[str, str] = field(default_factory=dict)
    asked: list[set[str]] = field(default_factory=list)
    away: bool = False

    def feed(self, events: Iterable[Event]) -> None:
        """Let these be the next events."""
        self.waiting += events

    async def batch(self) -> list[Event]:
        if not self.waiting:
            await asyncio.sleep(0.02)
        batch, self.waiting = self.waiting[:5_000], self.waiting[5_000:]
        return batch

    async def views(self, symbols: Iterable[str]) -> dict[str, str]:
        if self.away:
            raise ConnectionError("the log is away")
        wanted = set(symbols)
        self.asked.append(wanted)
        return {symbol: text for symbol, text in self.shown.items() if symbol in wanted}

    async def pulses(self, symbols: Iterable[str]) -> dict[str, str]:
        if self.away:
            raise ConnectionError("the log is away")
        wanted = set(symbols)
        return {symbol: text for symbol, text in self.fresh.items() if symbol in wanted}


@dataclass
class Running:
    """A served application: where it is, and its hub."""

    port: int
    hub: Hub

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def serving(
    reader: FedReader, section: ChartsSection | None = None, port: int = 0, path: str = ""
) -> AsyncIterator[Running]:
    """Charts over a fed reader, on a real socket and under a path, until the block ends."""
    section = ChartsSection() if section is None else section
    hub = build_hub(section, SystemClock())
    app = served([build_web(hub, Site(), section.ping_s)])
    if path != "":
        app = Starlette(routes=[Mount(path, app)])
    taken = _listen(port)
    server = Server(app, sockets=True)
    tasks = [
        asyncio.create_task(server.serve(sockets=[taken])),
        asyncio.create_task(follow(reader, hub)),
        asyncio.create_task(watch(reader, hub, section.views_period_ms / 1000)),
    ]
    try:
        await until(lambda: server.started and hub.ready)
        yield Running(taken.getsockname()[1], hub)
    finally:
        server.stop()
        await tasks[0]
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks[1:], return_exceptions=True)


async def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for something that another task does.

    Raises:
        TimeoutError: it was not done in time.
    """
    for _ in range(int(timeout_s / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"waited {timeout_s} s in vain")


def _listen(port: int) -> socket.socket:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    return taken


def ready_hub(events: Iterable[Event], section: ChartsSection | None = None) -> Hub:
    """A hub that has taken these events in."""
    hub = build_hub(ChartsSection() if section is None else section, SystemClock())
    for event in events:
        hub.book.apply(event)
    hub.ready = True
    return hub


def public_app(hub: Hub) -> Any:
    """The public application over a hub."""
    return served([build_web(hub, Site(), ping_s=5.0)])
