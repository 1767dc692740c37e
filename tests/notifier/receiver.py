"""A webhook receiver on a real socket, which answers as a test wants it to."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

# Linger for no time: closing sends RST instead of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_TURNS = 10


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer, and when: after ``after_s``, and not before ``gate`` is set.

    ``reset`` hangs up instead; ``body_s`` drips the body slowly.
    """

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    after_s: float = 0.0
    gate: asyncio.Event | None = None
    body_s: float = 0.0
    reset: bool = False


Script = Callable[[Request], Answer]


class Receiver:
    """Remembers every request; ``script`` gives the answers."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.connections = 0
        self.open_now = 0
        self.open_max = 0
        self.url = ""

    @property
    def keys(self) -> list[str]:
        """The idempotency keys, in the order in which they came."""
        return [request.key for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept alive."""
        self.connections += 1
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                self.open_now += 1
                self.open_max = max(self.open_max, self.open_now)
                try:
                    await self._answer(self.script(request), writer)
                finally:
                    self.open_now -= 1
        except (ConnectionError, asyncio.CancelledError):
            pass

    async def _answer(self, answer: Answer, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(answer.after_s)
        if answer.gate is not None:
            await answer.gate.wait()
        if answer.reset:
            taken = writer.get_extra_info("socket")
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()
            raise ConnectionResetError
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} X", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        for byte in answer.body if answer.body_s > 0 else ():
            writer.write(bytes([byte]))
            await asyncio.sleep(answer.body_s / len(answer.body))
        if answer.body_s == 0:
            writer.write(answer.body)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(first.split(" ")[1], headers, body)


@asynccontextmanager
async def receiving(script: Script | None = None) -> AsyncIterator[Receiver]:
    """A receiver for the time of a ``with``; it answers 204 unless told otherwise."""
    receiver = Receiver(script or (lambda _: Answer()))
    tasks: set[asyncio.Task[None]] = set()

    # No coroutine, and closed from outside: a task that is cancelled before its first step would
    # leave its connection open, and the warning would befall whatever test runs later.
    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(receiver.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(lambda _: writer.close())

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alerts"
    try:
        yield receiver
    finally:
        # Who was let in just now gets a task some turns of the loop later, and none once the
        # server is closed.
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        server.close()
        while tasks:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.sleep(0)
