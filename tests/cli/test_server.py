"""A given server is looked at before anything is started on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis

from shared.bus.connection import ServerFacts
from shared.bus.keys import Keys
from shared.bus.log import BusError
from shared.bus.redis_log import RedisLog
from tests.cli.processes import valkey
from tideline.embedded import EmbeddedServer
from tideline.server import insist_usable, remove_namespace, warnings
from tideline.trouble import Trouble


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, redis.Redis]]:
    """A server that these tests may set up badly, and its address."""
    folder = tmp_path_factory.mktemp("own")
    server = EmbeddedServer(folder / "data", folder / "s")
    with valkey(server) as client:
        yield server.url, client


@asynccontextmanager
async def pretending(info: str) -> AsyncIterator[str]:
    """The address of something that answers INFO like this, and OK to all else."""
    ended: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over = asyncio.Event()
        ended.append(over)
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2])
            body = info.replace("\n", "\r\n").encode()
            is_info = words[0].upper() == b"INFO"
            writer.write(b"$%d\r\n%s\r\n" % (len(body), body) if is_info else b"+OK\r\n")
        writer.close()
        await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"redis://user:password@127.0.0.1:{port}/0"
        # A connection left open would be complained about in another test.
        for over in ended:
            await over.wait()


async def test_a_good_server_is_taken(own: tuple[str, redis.Redis]) -> None:
    """The embedded server itself passes, without a warning."""
    facts = await insist_usable(own[0])
    assert (facts.name, warnings(facts)) == ("Valkey", [])


async def test_a_server_that_evicts_is_refused(own: tuple[str, redis.Redis]) -> None:
    """An evicting server would lose events: the line says how to change that."""
    url, client = own
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(Trouble) as caught:
            await insist_usable(url)
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert "maxmemory-policy allkeys-lru" in str(caught.value)
    assert "CONFIG SET maxmemory-policy noeviction" in str(caught.value)


async def test_a_replica_is_refused(own: tuple[str, redis.Redis]) -> None:
    """Nothing can be written to a replica."""
    url, client = own
    client.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(Trouble, match=r"not a master; point REDIS_URL at the master"):
            await insist_usable(url)
    finally:
        client.replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ("redis_version:6.2.14\nrole:master\n", "Redis 6.2 is too old; 7.0 or newer is needed"),
        (
            "redis_version:7.2.4\nvalkey_version:7.1.0\nrole:master\n",
            "Valkey 7.1 is too old; 7.2 or newer is needed",
        ),
    ],
)
async def test_a_server_that_is_too_old_is_refused(info: str, told: str) -> None:
    """The line names the version found, the version needed and the address without password."""
    async with pretending(f"# Server\n{info}maxmemory_policy:noeviction\n") as url:
        with pytest.raises(Trouble) as caught:
            await insist_usable(url)
    assert str(caught.value).startswith(told)
    assert "password" not in str(caught.value)


async def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The line names the address and what to do."""
    with pytest.raises(BusError, match=r"cannot be reached .*; start it or correct REDIS_URL"):
        await insist_usable(f"unix://{tmp_path}/none")


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis//x", ""])
async def test_an_address_that_is_none_is_told(url: str) -> None:
    """The line says what an address looks like."""
    with pytest.raises(Trouble, match=r"REDIS_URL must be redis://HOST:PORT/DB"):
        await insist_usable(url)


def test_a_server_without_append_only_file_is_worth_a_warning() -> None:
    """It works, but a restart of it loses events."""
    facts = ServerFacts("Redis", (7, 0), "noeviction", appendonly=False, role="master")
    assert warnings(facts) == [
        "Redis does not append to a file, so a restart of it loses events; "
        "run CONFIG SET appendonly yes"
    ]


async def test_removing_a_namespace_leaves_others_alone(redis_log: RedisLog, keys: Keys) -> None:
    """Only keys of that very namespace go."""
    other = f"{keys.namespace}x:kept"
    await redis_log.redis.set(f"{keys.namespace}:gone", "1")
    await redis_log.redis.set(other, "1")
    await remove_namespace(redis_log.redis, keys)
    assert await redis_log.redis.keys(f"{keys.namespace}*") == [other]
    await redis_log.redis.delete(other)
