"""One child process: its start, its lines, its end."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tideline.logfile import LogFile

STOP_GRACE_S = 8.0
_TETHER = Path(__file__).with_name("tether.py")
_CHUNK_BYTES = 65_536
_LINE_BYTES_MAX = 1_000_000
_LINES_KEPT = 20

OnLine = Callable[[str, str], None]
"""Called with the child's name and a line of its stdout or stderr."""


@dataclass(frozen=True, slots=True)
class Program:
    """How to run something: a stable name, the command, and what its environment adds to ours.

    ``dies_by`` is the signal it gets when its parent is gone, ``port`` one that was free when this
    was made and may have been taken since.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    dies_by: signal.Signals = signal.SIGKILL
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears a child's stdout and stderr, line by line."""

    out: OnLine
    err: OnLine


class Child:
    """A running program in a process group of its own, so that Ctrl-C reaches its parent only."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process, ears: Ears) -> None:
        self.program = program
        self._process = process
        self._ears = ears
        self._log = LogFile(program.log)
        self._is_unlogged = False
        self._last: deque[str] = deque(maxlen=_LINES_KEPT)
        assert process.stdout is not None
        assert process.stderr is not None
        self._pumps = [
            asyncio.create_task(self._pump(process.stdout, ears.out)),
            asyncio.create_task(self._pump(process.stderr, ears.err)),
        ]

    @classmethod
    async def start(cls, program: Program, ears: Ears) -> "Child":
        """Start it, tied to the life of this process."""
        tether = (sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()))
        process = await asyncio.create_subprocess_exec(
            *tether,
            str(int(program.dies_by)),
            *program.command,
            env={**os.environ, **program.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        return cls(program, process, ears)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def last_line(self) -> str:
        """The last thing it said, which in a crash is the reason."""
        return next((line for line in reversed(self._last) if line.strip()), "")

    async def wait(self) -> int:
        """Its exit code, once it has ended and everything it said is in its log."""
        code = await self._process.wait()
        # A grandchild that holds the pipes open must not hold us.
        await asyncio.wait(self._pumps, timeout=1.0)
        for pump in self._pumps:
            pump.cancel()
        self._log.close()
        return code

    def send(self, signal_number: signal.Signals) -> None:
        """Signal it and whatever it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal_number)

    async def _pump(self, stream: asyncio.StreamReader, heard: OnLine) -> None:
        async for line in _lines(stream):
            self._write(line)
            text = line.decode(errors="replace").rstrip()
            self._last.append(text)
            heard(self.program.name, text)

    def _write(self, line: bytes) -> None:
        """Log a line if that can be; nobody who is not read from could go on."""
        try:
            self._log.write(line)
        except OSError as error:
            if not self._is_unlogged:
                reason = f"{self._log.path} cannot be written to ({error.strerror})"
                self._ears.err(self.program.name, reason)
            self._is_unlogged = True
        else:
            self._is_unlogged = False


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    rest = b""
    while chunk := await stream.read(_CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
        if len(rest) > _LINE_BYTES_MAX:
            yield rest
            rest = b""
    if rest:
        yield rest
