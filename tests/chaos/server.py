"""Server processes that can be killed, torn and followed by a replica."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.bus.connection import connect, execute
from tests.chaos.proxy import Ends, Proxy
from tests.ports import free_port
from tideline import tether
from tideline.embedded import EmbeddedServer

_PATIENCE_S = 60.0
_LOOK_S = 0.01
# A torn file keeps at least this share of itself: a crash takes the end, not the day.
_KEPT_SHARE = 0.5


class Server:
    """One real server over a folder of its own, reachable on a Unix socket and on a TCP port."""

    def __init__(self, folder: Path, name: str) -> None:
        self._data = folder / name
        self._embedded = EmbeddedServer(data=self._data, socket=folder / f"{name}.sock")
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._follows: tuple[str, ...] = ()
        self.port = free_port()
        self.client: Redis = connect(self._embedded.url)

    async def start(self) -> None:
        """Start over what the folder holds, and wait until everything is loaded."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--aof-load-truncated", "yes"]
        options += ["--repl-diskless-sync-delay", "0", *self._follows]
        self._launch(options)
        await self._until(self._answers)

    async def follow(self, master: "Server") -> Proxy:
        """Start as a replica of another; returns what its stream comes through."""
        line = Proxy(master.dial_tcp)
        self._follows = ("--replicaof", f"127.0.0.1 {await line.listen_tcp()}")
        await self.start()
        await self._until(self._in_step)
        return line

    async def promote(self) -> None:
        """Become a master with what has arrived."""
        self._follows = ()
        await execute(self.client, "REPLICAOF", "NO", "ONE")

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(_PATIENCE_S)
            self._process = None

    def tear(self, size: int) -> None:
        """Take so many bytes off the end of the append-only file of a killed server."""
        newest = max(
            self._data.glob("appendonlydir/*.incr.aof"), key=lambda path: path.stat().st_mtime
        )
        length = newest.stat().st_size
        os.truncate(newest, max(int(length * _KEPT_SHARE), length - size))

    async def dial(self) -> Ends:
        """A connection for a worker."""
        return await asyncio.open_unix_connection(self._embedded.socket)

    async def dial_tcp(self) -> Ends:
        """A connection for a replica."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def close(self) -> None:
        """Leave nothing running."""
        await self.client.aclose()
        self.kill()

    @property
    def is_dead(self) -> bool:
        """Whether no process of it runs."""
        return self._process is None

    def _launch(self, options: list[str]) -> None:
        command = [sys.executable, "-I", "-S", str(tether.__file__), str(os.getpid())]
        command += [str(int(signal.SIGKILL)), *self._embedded.command(), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    async def _answers(self) -> bool:
        return bool(await execute(self.client, "PING"))

    async def _in_step(self) -> bool:
        facts = await self.client.info("replication")
        return facts.get("master_link_status") == "up"

    async def _until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while not await _calmly(holds):
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"the server of {self._data} is not ready after {_PATIENCE_S} s")
            await asyncio.sleep(_LOOK_S)


async def _calmly(holds: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await holds()
    except (RedisError, OSError):
        return False
