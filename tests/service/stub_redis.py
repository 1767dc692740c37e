"""A server that speaks just enough of Redis' protocol to say what it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def stub_redis(policy: str = "noeviction", **facts: str) -> AsyncIterator[str]:
    """The address of a server whose INFO holds these facts."""
    info = "# Server\r\n" + "".join(f"{name}:{value}\r\n" for name, value in facts.items())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ends.append(writer)
        while words := await _words(reader):
            match [word.upper() for word in words]:
                case [b"INFO", *_]:
                    writer.write(_bulk(info))
                case [b"CONFIG", b"GET", *_]:
                    writer.write(b"*2\r\n" + _bulk("maxmemory-policy") + _bulk(policy))
                case _:
                    writer.write(b"+OK\r\n")

    open_ends: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://someone:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()
        for one in open_ends:
            one.close()
        await asyncio.gather(*(one.wait_closed() for one in open_ends), return_exceptions=True)


async def _words(reader: asyncio.StreamReader) -> list[bytes]:
    """One command; empty at the end of a connection."""
    head = await reader.readline()
    words = []
    for _ in range(int(head[1:] or 0)):
        size = int((await reader.readline())[1:])
        words.append((await reader.readexactly(size + 2))[:size])
    return words


def _bulk(text: str) -> bytes:
    return f"${len(text)}\r\n{text}\r\n".encode()
