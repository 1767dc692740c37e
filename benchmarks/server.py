"""A scratch server for a benchmark: the embedded one, as it is shipped, and what it has used."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tideline.embedded import EmbeddedServer

_START_S = 10.0


@dataclass(frozen=True, slots=True)
class Scratch:
    """A server that goes with all its data, and a folder beside it."""

    url: str
    pid: int
    folder: Path

    def client(self) -> "redis.Redis":
        """A plain client."""
        return redis.Redis.from_url(self.url, decode_responses=True, protocol=2)

    def cpu_s(self) -> float:
        """Seconds of the processor that it has used."""
        with self.client() as client:
            used: Any = client.info("cpu")
        return float(used["used_cpu_user"] + used["used_cpu_sys"])


@contextmanager
def scratch(port: int = 0) -> Iterator[Scratch]:
    """Run one on a Unix socket, and on a port of this machine where one is given."""
    with tempfile.TemporaryDirectory(prefix="tideline-bench-") as name:
        folder = Path(name)
        server = EmbeddedServer(data=folder / "data", socket=folder / "s")
        command = [*server.command(), "--port", str(port), "--bind", "127.0.0.1"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                _wait_for(server.url)
                yield Scratch(server.url, process.pid, folder)
            finally:
                process.kill()


def _wait_for(url: str) -> None:
    until = time.monotonic() + _START_S
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
