"""Processes seen from outside: are they alive, and a real server as one of them."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import redis

from tideline.embedded import EmbeddedServer

# Several processes start at once on what may be two busy cores; what passes never waits for it.
PATIENCE_S = 120.0


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def await_death(pid: int, seconds: float = PATIENCE_S) -> bool:
    """Whether a process is gone within the time."""
    until = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(pid)


class Started:
    """The tideline command as a process, with what it has written so far."""

    def __init__(self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str]):
        self.folder = folder
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tideline", *arguments],
                stdout=out,
                stderr=err,
                cwd=folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            )

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    def said(self, text: str, seconds: float = PATIENCE_S) -> None:
        """Wait until stdout or stderr holds a text.

        Raises:
            TimeoutError: it does not, or the process has ended without; the message holds it all.
        """
        until = time.monotonic() + seconds
        while True:
            # Asked first: what a process has ended with is read after its end.
            over = time.monotonic() > until or self.process.poll() is not None
            if text in self.out + self.err:
                return
            if over:
                raise TimeoutError(f"never said {text!r} but {self.out}{self.err}")
            time.sleep(0.02)

    def ends(self, seconds: float = PATIENCE_S) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(seconds)

    def children(self) -> dict[str, int]:
        """The processes it has started, by what they run."""
        found = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = int(status.read_text().rpartition(")")[2].split()[1])
                words = status.with_name("cmdline").read_bytes().split(b"\0")
                if parent == self.process.pid and len(words) > 1:
                    # A server shows its name and address as one word, a service its module last.
                    name = Path(words[0].decode().split()[0]).name
                    if name != "valkey-server":
                        name = words[-2].decode().rpartition(".")[2]
                    found[name] = int(status.parts[2])
        return found


@contextlib.contextmanager
def started(folder: Path, *arguments: str, **environment: str) -> Iterator[Started]:
    """The tideline command, run in a folder; killed if it is left running."""
    run = Started(
        folder, arguments, {"TIDELINE_LAUNCHER__RUN_DIR": str(folder / "r"), **environment}
    )
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()


@contextlib.contextmanager
def valkey(server: EmbeddedServer) -> Iterator[redis.Redis]:
    """A running embedded server and a client of it."""
    with (
        subprocess.Popen(server.command(), stdout=subprocess.DEVNULL) as process,
        redis.Redis.from_url(server.url) as client,
    ):
        try:
            await_answer(client)
            yield client
        finally:
            process.terminate()


def await_answer(client: redis.Redis) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with contextlib.suppress(redis.ConnectionError):
            client.ping()
            return
        time.sleep(0.01)
    raise TimeoutError(f"the server did not answer within {PATIENCE_S:.0f} s")
