"""Processes seen from outside: are they alive, and a real server as one of them."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import redis

from tideline.embedded import EmbeddedServer


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def await_death(pid: int, seconds: float = 5.0) -> bool:
    """Whether a process is gone within the time."""
    until = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(pid)


@contextlib.contextmanager
def tideline_process(*arguments: str, **changed: str) -> Iterator[subprocess.Popen[str]]:
    """The tideline command as a process, with changed environment; killed if it is left running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tideline", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **changed},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_of(stream: IO[str] | None) -> str:
    """The next line of a process's stream."""
    assert stream is not None
    return stream.readline()


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
    for _ in range(500):
        with contextlib.suppress(redis.ConnectionError):
            client.ping()
            return
        time.sleep(0.01)
    raise TimeoutError("the server did not answer within 5 s")
