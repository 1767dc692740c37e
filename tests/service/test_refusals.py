"""Every way in which a service refuses to start: one line that names the thing and the mend."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE

import pytest

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import BusError
from shared.bus.redis_log import RedisLog
from shared.service.frame import Service
from shared.service.settings import SettingsError
from tests.ports import free_port
from tests.service.stub_redis import stub_redis
from tests.service.toys import PATIENCE_S, ready, running, started, toy, until
from tideline.embedded import EmbeddedServer


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"redis_version": "6.2.14"}, "Redis 6.2 is too old; 7.0 or newer is needed"),
        (
            {"redis_version": "7.2.4", "valkey_version": "7.0.1"},
            "Valkey 7.0 is too old; 7.2 or newer is needed",
        ),
        (
            {"redis_version": "7.0.15", "policy": "allkeys-lru"},
            "Redis may evict keys (maxmemory-policy allkeys-lru), which would lose events; "
            "run CONFIG SET maxmemory-policy noeviction",
        ),
        (
            {"redis_version": "6.2.14", "role": "slave"},
            "Redis 6.2 is too old; 7.0 or newer is needed",
        ),
    ],
)
async def test_a_server_that_cannot_carry_the_log_is_refused(
    keys: Keys, facts: dict[str, str], why: str
) -> None:
    """One line names what is wrong with it and the mend, and never the password."""
    async with stub_redis(**facts) as url:
        with pytest.raises(BusError) as refusal:
            await asyncio.wait_for(toy(url, keys).run(), PATIENCE_S)
    assert str(refusal.value) == why


async def test_a_real_server_that_evicts_is_refused(own_server: EmbeddedServer, keys: Keys) -> None:
    """Valkey with a policy that drops keys would drop events."""
    async with started(own_server, "--maxmemory-policy", "allkeys-lru"):
        with pytest.raises(BusError, match=r"^Valkey may evict keys \(maxmemory-policy allkeys-"):
            await asyncio.wait_for(toy(own_server.url, keys).run(), PATIENCE_S)


async def test_a_replica_is_waited_for_until_it_is_promoted(
    own_server: EmbeddedServer, keys: Keys
) -> None:
    """Started in the middle of a failover: readiness says why it waits, then it goes on."""
    service = toy(own_server.url, keys)
    why = "Valkey is a slave, not a master; point REDIS_URL at the master"
    replica = started(own_server, "--replicaof", "127.0.0.1", "1")
    async with replica, running(service) as client:
        await until(lambda: service.not_ready() == [why])
        assert why in (await client.get("/readyz")).text
        await execute(service.redis, "REPLICAOF", "NO", "ONE")
        await ready(service)


async def test_another_number_of_partitions_is_refused(server_url: str, keys: Keys) -> None:
    """It never changes in a living namespace: the mend is to say the number that it has."""
    async with running(service := toy(server_url, keys)):
        await ready(service)
    with pytest.raises(
        BusError, match=r"has 4 partitions, not 8; set TIDELINE_PARTITIONS=4 or choose another"
    ):
        await asyncio.wait_for(toy(server_url, Keys(keys.namespace, 8)).run(), PATIENCE_S)


async def test_a_port_in_use_is_named(server_url: str, keys: Keys) -> None:
    """Two services cannot have one port: the second says which setting to change."""
    first = toy(server_url, keys)
    port = first.settings.internal_port
    async with running(first):
        second = Service("second", first.settings)
        with pytest.raises(SettingsError) as refusal:
            await second.run()
    assert str(refusal.value) == (
        f"port {port} on 127.0.0.1 cannot be used (Address already in use); "
        "set TIDELINE_INTERNAL_PORT to another"
    )
    await second.log.close()


@pytest.mark.parametrize(
    ("setting", "code", "line"),
    [
        ({"TIDELINE_PARTITIONS": "8"}, 1, "namespace {namespace} has 4 partitions, not 8; set"),
        ({"TIDELINE_COLOUR": "red"}, 2, "unknown setting TIDELINE_COLOUR; see"),
        ({"TIDELINE_DATA_DIR": "/proc/no"}, 1, "the data directory /proc/no cannot be made ("),
    ],
)
async def test_a_known_error_is_one_line_and_no_traceback(
    redis_log: RedisLog, server_url: str, setting: dict[str, str], code: int, line: str
) -> None:
    """``python -m services.<name>`` says what is wrong, and by its code whose turn it is."""
    keys = redis_log.keys
    await execute(redis_log.redis, "HSET", keys.meta(), "partitions", "4")
    environment = {
        "REDIS_URL": server_url,
        "TIDELINE_NAMESPACE": keys.namespace,
        "TIDELINE_INTERNAL_PORT": str(free_port()),
        "TIDELINE_PUBLIC_PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.indicators",
        env=os.environ | environment | setting,
        stderr=PIPE,
    )
    try:
        # A busy machine takes its time to import all that a service has.
        _, said = await asyncio.wait_for(process.communicate(), 90)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == code
    assert said.decode().startswith(f"tideline: {line.format(namespace=keys.namespace)}")
    assert said.count(b"\n") == 1
