"""Starts the server and the services on one machine, and stops all of it."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.bus.keys import Keys
from shared.clock import Clock
from tideline import ports
from tideline.child import Ears, Program
from tideline.embedded import EmbeddedServer
from tideline.interrupt import Interrupts, interrupts, until
from tideline.readiness import POLL_S, ask
from tideline.rundir import Running, note, run_dir, sole_user
from tideline.server import answers, connected, insist_usable, remove_namespace, warnings
from tideline.supervisor import Supervisor
from tideline.terminal import Terminal
from tideline.trouble import Trouble, listed

T = TypeVar("T")

SERVER = "valkey"
# Tables of the services, beside the server's data.
DATA = "data"
# The feed starts last: what it writes finds everybody at work, so nobody starts behind.
WAVES = (("notifier", "signals", "indicators", "charts"), ("ingest",))
SERVICES = tuple(name for wave in WAVES for name in wave)
# Prices first, so that the others can still do what they were given.
STOP_ORDER = (("ingest",), ("signals", "indicators", "notifier", "charts"))
# The one whose output is meant for people: alerts on the console channel.
SPEAKER = "notifier"
# The one whose port is the public one: there it serves every service's routes.
_MODULES = {"charts": "tideline.web"}
READY_S = 60.0
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Launch:
    """What is to be started.

    ``redis_url`` is a given server, else one is embedded. What stays is kept in ``state``; without
    one everything goes when it stops. A ``throwaway`` namespace is taken off a given server at the
    end. ``environment`` is added to every service's. SQLite files are in ``data``, unless given
    beside the server's.
    """

    mode: str
    host: str
    port: int
    keys: Keys
    redis_url: str | None
    run_root: Path
    state: Path | None = None
    data: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    throwaway: bool = False
    verbose: bool = False

    @property
    def page(self) -> str:
        """Where a browser on this machine finds the page."""
        host = _LOOPBACK if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Site:
    """Everything is up: where, when it is to end, and how to end the services before the server."""

    redis_url: str
    stop: asyncio.Event
    end_services: Callable[[], Coroutine[Any, Any, None]]


class Launcher:
    """One machine's server and services, from the first check to the last process."""

    def __init__(self, launch: Launch, terminal: Terminal, clock: Clock) -> None:
        self._launch = launch
        self._terminal = terminal
        self._clock = clock
        # Ports that somebody was told to listen on, and may not have begun to.
        self._promised = {"page": launch.port}
        self._has_written = False

    async def run(self, work: Callable[[Site], Coroutine[Any, Any, T]]) -> T | None:
        """Bring everything up, do the work, take everything down.

        The work ends by itself when ``stop`` is set. None if it never began, or was hurried.

        Raises:
            Trouble: something needed is missing, taken or does not stay up.
            BusError: the given server cannot be reached.
        """
        launch = self._launch
        ports.insist_free(launch.host, launch.port)
        with sole_user(launch.state), run_dir(launch.run_root) as path, interrupts() as asked:
            ears = self._ears(asked.stop)
            supervisor = Supervisor(ears, self._terminal.say, self._clock, asked.hurry)
            try:
                site = await until(
                    asked.stop, self._up(path, supervisor, asked), supervisor.failure
                )
                if site is None:
                    return None
                return await until(asked.hurry, work(site), supervisor.failure)
            finally:
                await self._end_services(supervisor)
                await supervisor.stop([SERVER])
                await self._tidy()

    async def _up(self, path: Path, supervisor: Supervisor, asked: Interrupts) -> Site:
        url = await self._server(path, supervisor)
        await self._services(path, supervisor, url)
        note(path, self._running(path, url))
        return Site(url, asked.stop, partial(self._end_services, supervisor))

    async def _server(self, path: Path, supervisor: Supervisor) -> str:
        """The address of a server that answers."""
        launch = self._launch
        if launch.redis_url is not None:
            for line in warnings(await insist_usable(launch.redis_url)):
                self._terminal.say(f"warning: {line}")
            return launch.redis_url
        server = EmbeddedServer((launch.state or path) / SERVER, path / f"{SERVER}.sock")
        log = self._log(path, SERVER)

        def make() -> Program:
            command = tuple(server.command())
            return Program(SERVER, command, log, dies_by=signal.SIGTERM)

        supervisor.keep(make)
        redis = connected(server.url)
        try:
            with self._terminal.progress("starting the embedded Valkey"):
                await _answering(redis)
        finally:
            await redis.aclose()
        supervisor.ready(SERVER)
        return server.url

    async def _services(self, path: Path, supervisor: Supervisor, url: str) -> None:
        self._has_written = True
        for wave in WAVES:
            for name in wave:
                supervisor.keep(partial(self._program, path, name, url))
            with self._terminal.progress(f"starting {listed(wave)}"):
                await asyncio.gather(*(_ready(supervisor, name) for name in wave))

    def _program(self, path: Path, name: str, url: str) -> Program:
        launch = self._launch
        port = ports.free_port(self._promised.values())
        self._promised[name] = port
        coloured = name == SPEAKER and self._terminal.has_colours
        return Program(
            name=name,
            command=(sys.executable, "-m", _MODULES.get(name, f"services.{name}")),
            log=self._log(path, name),
            environment={
                **self._environment(path),
                "REDIS_URL": url,
                "TIDELINE_NAMESPACE": launch.keys.namespace,
                "TIDELINE_WORKER": self._worker(name),
                "TIDELINE_PUBLIC_HOST": launch.host,
                # Routes of the others are served by the one process that has the port.
                "TIDELINE_PUBLIC_PORT": str(launch.port) if name in _MODULES else "0",
                "TIDELINE_INTERNAL_HOST": _LOOPBACK,
                "TIDELINE_INTERNAL_PORT": str(port),
                "PYTHONUNBUFFERED": "1",
                **({"FORCE_COLOR": "1"} if coloured else {}),
            },
            port=port,
        )

    def _environment(self, path: Path) -> dict[str, str]:
        """What every service has, also one that joins later."""
        launch = self._launch
        data = launch.data or (launch.state or path) / DATA
        # What leaves nothing behind leaves nothing in an archive that somebody has set either.
        archive = {} if launch.state else {"TIDELINE_ARCHIVE_DIR": str(data / "archive")}
        return {"TIDELINE_DATA_DIR": str(data), **archive, **launch.environment}

    def _worker(self, name: str) -> str:
        """Stable, so that a restarted service takes up its own partitions at once."""
        # Launchers of several machines may share a given server; there names must differ.
        shared = self._launch.redis_url is not None
        return f"{name}-{socket.gethostname()}" if shared else f"{name}-1"

    def _log(self, path: Path, name: str) -> Path:
        return (self._launch.state or path) / "logs" / f"{name}.log"

    def _running(self, path: Path, url: str) -> Running:
        launch = self._launch
        return Running(
            pid=int(path.name),
            mode=launch.mode,
            redis_url=url,
            namespace=launch.keys.namespace,
            page=launch.page,
            started_at=self._clock.now(),
            environment=self._environment(path),
        )

    def _ears(self, stop: asyncio.Event) -> Ears:
        terminal, verbose = self._terminal, self._launch.verbose

        def told(tell: Callable[[str], None], line: str) -> None:
            try:
                tell(line)
            except BrokenPipeError:  # whoever read us has seen enough
                stop.set()

        def prefixed(name: str, line: str) -> None:
            if verbose:
                told(terminal.say, f"{name:<10} | {line}")

        def out(name: str, line: str) -> None:
            if name == SPEAKER:
                told(terminal.alert, line)
            else:
                prefixed(name, line)

        return Ears(out, prefixed)

    async def _end_services(self, supervisor: Supervisor) -> None:
        if any(supervisor.is_running(name) for name in SERVICES):
            self._terminal.say("stopping")
        for names in STOP_ORDER:
            await supervisor.stop(names)

    async def _tidy(self) -> None:
        """Take a throwaway namespace off a given server; an embedded one takes it along."""
        launch = self._launch
        if not (launch.throwaway and self._has_written) or launch.redis_url is None:
            return
        redis = connected(launch.redis_url)
        try:
            await remove_namespace(redis, launch.keys)
        except (RedisError, OSError) as error:
            self._terminal.say(f"warning: {launch.keys.namespace}:* is left on the server: {error}")
        finally:
            await redis.aclose()


async def _answering(redis: Redis) -> None:
    while True:
        if await answers(redis):
            return
        await asyncio.sleep(POLL_S / 4)


async def _ready(supervisor: Supervisor, name: str) -> None:
    """Return once a service is ready, through restarts of it.

    Raises:
        Trouble: it is not ready in time; the message holds what it says itself.
    """
    reason = "it did not answer"
    try:
        async with asyncio.timeout(READY_S):
            while True:
                port = supervisor.program(name).port
                assert port is not None
                answer = await asyncio.to_thread(ask, _LOOPBACK, port)
                if answer.ready:
                    supervisor.ready(name)
                    return
                reason = answer.reason
                await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        log = supervisor.program(name).log
        raise Trouble(
            f"{name} is not ready after {READY_S:.0f} s: {reason}; its log is {log}"
        ) from error
