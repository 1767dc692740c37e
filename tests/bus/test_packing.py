"""Commands packed in C are those that redis-py packs."""

from typing import Any

import pytest
from redis.asyncio.connection import Connection

from shared.bus.connection import connect


@pytest.mark.parametrize(
    "command",
    [
        ("XADD", "key", "*", "price", 1.0825, "at", 1_795_166_099_000_250, "n", 0),
        ("CONFIG GET", "appendonly"),
        (b"PING",),
        ("SET", "key", 0.1 + 0.2, 1e-05, 1e22, -0.0, "", b"\x00\xff", "Zürich €"),
        ("SET", "key", "half a character: \ud800"),
    ],
)
async def test_bytes_are_the_same(command: tuple[str | bytes | float, ...]) -> None:
    """Numbers, text, bytes, names of two words, and what can be packed the slow way alone."""
    made = connection("redis://127.0.0.1:1/0")
    plain = Connection(encoding_errors="replace")
    assert b"".join(made.pack_command(*command)) == b"".join(plain.pack_command(*command))
    assert made.pack_commands([command, command]) == [b"".join([*plain.pack_command(*command)] * 2)]


async def test_the_client_that_services_use_packs_in_c() -> None:
    """On whatever kind of connection its address asks for."""
    for url in ("redis://127.0.0.1:1/0", "unix:///nowhere", "rediss://127.0.0.1:1/0"):
        assert type(connection(url)).__name__.startswith("Packing")


def connection(url: str) -> Any:
    """One that is not connected."""
    pool: Any = connect(url).connection_pool
    return pool.make_connection()
