"""Between a worker and a server: passes bytes on, and can hold them, lose them or hang up.

What it does is what networks do: bytes come late, or from some point on not at all and then the
connection ends. It never leaves a hole in a stream that goes on.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Ends]]

_CHUNK = 1 << 16


class _Way:
    """One direction of a connection."""

    def __init__(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.losing = False
        # Bytes that came while the way was shut.
        self.caught = 0
        self._source = source
        self._sink = sink

    async def run(self) -> None:
        """Pass on until the source ends, then end the sink."""
        with contextlib.suppress(OSError):
            while data := await self._source.read(_CHUNK):
                if self.losing or not self.open.is_set():
                    self.caught += len(data)
                await self.open.wait()
                if not self.losing:
                    self._sink.write(data)
                    await self._sink.drain()
        self._sink.close()


class _Line:
    """One connection through the proxy."""

    def __init__(self, client: Ends, server: Ends) -> None:
        self.requests = _Way(client[0], server[1])
        self.replies = _Way(server[0], client[1])
        self._writers = (client[1], server[1])

    async def run(self) -> None:
        await asyncio.gather(self.requests.run(), self.replies.run())

    def hang_up_client(self) -> None:
        self._writers[0].transport.abort()

    def cut(self) -> None:
        """End both sides at once; what was held is lost."""
        for way in (self.requests, self.replies):
            way.losing = True
            way.open.set()
        for writer in self._writers:
            writer.transport.abort()


class Proxy:
    """Listens for one worker. ``dial`` connects to the server of the moment.

    ``used`` is set while anybody is connected.
    """

    def __init__(self, dial: Dial) -> None:
        self.used = asyncio.Event()
        self._dial = dial
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._losing = False

    async def listen(self, path: Path) -> None:
        """Take connections on a Unix socket."""
        self._server = await asyncio.start_unix_server(self._accepted, path)

    async def listen_tcp(self) -> int:
        """Take connections on a free port of this machine; returns it."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Take no more connections and end those that are."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> bool:
        """Hang up on both sides; whether there was anybody."""
        lines = list(self._lines)
        for line in lines:
            line.cut()
        return bool(lines)

    def hold_replies(self) -> None:
        """Keep back what the server says, until the lines are cut."""
        for line in self._lines:
            line.replies.open.clear()

    async def delay_replies(self, seconds: float) -> bool:
        """Bring what the server says only after a while; whether it said anything."""
        lines = list(self._lines)
        for line in lines:
            line.replies.open.clear()
        await asyncio.sleep(seconds)
        for line in lines:
            line.replies.open.set()
        return any(line.replies.caught for line in lines)

    async def swallow_replies(self, seconds: float) -> bool:
        """Lose what the server says, then hang up; whether it said anything."""
        self._losing = True
        for line in self._lines:
            line.replies.losing = True
        await asyncio.sleep(seconds)
        self._losing = False
        lines = [line for line in self._lines if line.replies.losing]
        for line in lines:
            line.cut()
        return any(line.replies.caught for line in lines)

    async def delay_requests(self, seconds: float) -> bool:
        """Hang up on the worker, and bring what it had said only afterwards; whether it had."""
        lines = list(self._lines)
        for line in lines:
            line.requests.open.clear()
        await asyncio.sleep(seconds)
        for line in lines:
            line.hang_up_client()
        await asyncio.sleep(seconds)
        for line in lines:
            line.requests.open.set()
        return any(line.requests.caught for line in lines)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            server = await self._dial()
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        line = _Line((reader, writer), server)
        line.replies.losing = self._losing
        self._lines.add(line)
        self.used.set()
        try:
            await line.run()
        finally:
            line.cut()
            self._lines.discard(line)
            if not self._lines:
                self.used.clear()
            self._tasks.discard(task)
