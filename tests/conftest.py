"""Fixtures that every room's tests share: a real server, a fresh namespace, real market data."""

import asyncio
import itertools
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis
from hypothesis import HealthCheck, settings
from pydantic import SecretStr
from xdist.remote import Producer

from shared.bus.keys import Keys, kind_of
from shared.bus.log import Log
from shared.bus.memory_log import MemoryLog
from shared.bus.redis_log import RedisLog
from shared.store import engine
from tests.scheduling import Scheduling
from tests.store import postgres
from tideline.embedded import EmbeddedServer

_REPOSITORY = Path(__file__).parents[1]
# However busy the machine is; a test that passes never waits for it.
_PATIENCE_S = 60.0
_numbers = itertools.count()

# A check that passed once passes again: no clock and no chance decides about examples. New ones are
# looked for with --hypothesis-profile=default.
settings.register_profile(
    "tideline",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tideline")

Database = dict[str, SecretStr | Path]
"""Where a test's tables are, as settings: ``database_url`` or ``data_dir``."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Keep groups of tests together, in place of what ``--dist loadgroup`` does not do any more."""
    return Scheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session", autouse=True)
def _own_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Services that tests start keep their tables in a folder that goes away, not in the tree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDELINE_DATA_DIR", str(tmp_path_factory.mktemp("tables")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _patient_with_tables() -> Iterator[None]:
    """A machine that stands still for some seconds is no database that hangs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STATEMENT_S", "_CONNECT_S"):
            patch.setattr(engine, name, _PATIENCE_S)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real market data beside the repository; the test is skipped without it."""
    folder = _REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded market data at {folder}")
    return folder


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A real server: the one TEST_REDIS_URL names, else an embedded one of our own."""
    given = os.environ.get("TEST_REDIS_URL")
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="tideline-test-") as folder:
        server = EmbeddedServer(data=Path(folder) / "data", socket=Path(folder) / "s")
        # Nobody hangs or kills this one: only a machine that stands still keeps an answer back, and
        # a client that asks again because of that would add an entry twice.
        url = f"{server.url}?socket_timeout={_PATIENCE_S:.0f}"
        with subprocess.Popen(server.command(), stdout=subprocess.DEVNULL) as process:
            try:
                _wait_for(url)
                yield url
            finally:
                process.terminate()


def _wait_for(url: str) -> None:
    until = time.monotonic() + _PATIENCE_S
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < until:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.01)
    raise TimeoutError(f"the embedded server at {url} did not answer within {_PATIENCE_S:.0f} s")


@pytest.fixture
def keys(server_url: str) -> Iterator[Keys]:
    """Key names of a namespace that nobody else uses; its keys are removed afterwards.

    Every test that asks for it fails if it leaves a key that the table in shared/bus/keys.py does
    not know, or one that should go by itself and does not.
    """
    made = Keys(f"test-{os.getpid()}-{next(_numbers)}", partitions=4)
    yield made
    with redis.Redis.from_url(server_url, decode_responses=True) as client:
        found = list(client.scan_iter(f"{made.namespace}:*"))
        leaks = [leak for key in found if (leak := _leak(client, key)) is not None]
        for key in found:
            client.delete(key)
    assert leaks == []


def _leak(client: redis.Redis, key: str) -> str | None:
    """What is wrong with a key that a test left, or None."""
    kind, type_of = kind_of(key), str(client.type(key))
    if kind is None:
        return f"{key} is in no table of keys"
    if type_of not in (kind.type, "none"):
        return f"{key} is a {type_of}, not a {kind.type}"
    # -1 is a key without an end, -2 one that has just come to it.
    if (client.ttl(key) == -1) == (kind.life == "ttl"):
        return f"{key} is {kind.life}, but its time to live is {client.ttl(key)!r}"
    return None


@pytest.fixture
async def redis_log(server_url: str, keys: Keys) -> AsyncIterator[RedisLog]:
    """The log on the real server."""
    log = RedisLog(server_url, keys)
    yield log
    await log.close()


@pytest.fixture(params=["memory", "redis"])
async def any_log(
    request: pytest.FixtureRequest, server_url: str, keys: Keys
) -> AsyncIterator[Log]:
    """Every implementation of the log, one after the other."""
    if request.param == "memory":
        yield MemoryLog(keys.partitions, lambda: int(asyncio.get_running_loop().time() * 1000))
        return
    log = RedisLog(server_url, keys)
    yield log
    await log.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL without a database's name: TEST_DATABASE_URL's, else one of our own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given is not None:
        yield given.rstrip("/")
        return
    binaries = postgres.binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server in /usr/lib/postgresql or on PATH")
    with postgres.running(binaries) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Empty tables of this test alone, on every kind of database one after the other."""
    if request.param == "sqlite":
        yield {"data_dir": tmp_path / "data"}
        return
    url = request.getfixturevalue("postgres_url")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    await _execute(url, f"CREATE DATABASE {name}")
    yield {"database_url": SecretStr(f"{url}/{name}")}
    await _execute(url, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(f"{url}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
