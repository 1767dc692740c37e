"""The frame around every service: from start to stop, and every way in which a start can fail."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.bus.connection import execute, masked
from shared.bus.consumer import Batch
from shared.bus.keys import Keys
from shared.bus.log import BusError
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.events import Event, Ops
from shared.events.codec import decode
from shared.service.frame import Service
from shared.service.settings import SettingsError
from tests.bus.toys import TELL, close, tick, write
from tests.service.stub_redis import stub_redis
from tests.service.toys import answers, free_port, running, settings_for, toy, until
from tideline.embedded import EmbeddedServer


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedServer:
    """A server of this test's own, not started."""
    folder = tmp_path_factory.mktemp("s")
    return EmbeddedServer(data=folder / "data", socket=Path(folder) / "s")


@asynccontextmanager
async def started(server: EmbeddedServer, *options: str) -> AsyncIterator[None]:
    """A server while it runs."""
    process = await asyncio.create_subprocess_exec(
        *server.command(), *options, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def told(log: RedisLog) -> list[Ops]:
    """What operators were told, in order."""
    entries = await execute(log.redis, "XRANGE", log.keys.ops(), "-", "+")
    return [event for _, event in decode(entries) if isinstance(event, Ops)]


async def ready(service: Service) -> None:
    """Wait until a running service says so."""
    await until(lambda: service.not_ready() == [])


async def test_a_service_answers_for_its_health(server_url: str, keys: Keys) -> None:
    """Alive at once, ready when its stages come round, with figures for Prometheus."""
    async with running(toy(server_url, keys)) as client:
        await until(lambda: answers(client, "/readyz", 200))
        assert (await client.get("/livez")).text == "alive\n"
        assert (await client.get("/readyz")).text == "ready\n"
        metrics = await client.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=")
        assert 'tideline_stage_partitions{stage="candles"} 4.0\n' in metrics.text
        assert (await client.get("/nothing")).status_code == 404


async def test_a_service_does_its_work(server_url: str, keys: Keys, redis_log: RedisLog) -> None:
    """What is written to the spine comes out as candles."""
    service = toy(server_url, keys)
    async with running(service):
        await write(redis_log, [tick(1), tick(2), close(3, 1)])
        await until(lambda: service._progress()[0].outputs["candle_closed"] == 1)


async def test_start_and_stop_are_told(server_url: str, keys: Keys, redis_log: RedisLog) -> None:
    """Operators see when a service came and went, and which process it was."""
    service = toy(server_url, keys)
    async with running(service):
        await ready(service)
    events = await told(redis_log)
    assert [(event.kind, event.detail) for event in events] == [
        ("server_start", "toy started"),
        ("server_stop", "toy stopped"),
    ]
    assert {(event.service, event.worker, event.symbol) for event in events} == {
        ("toy", "toy-1", "*")
    }


async def test_a_stop_gives_everything_back(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Another worker need not wait for a lease to expire."""
    service = toy(server_url, keys)
    async with running(service):
        await until(lambda: service._progress()[0].owned == keys.partitions)
        leases = [keys.lease(partition, "candles") for partition in range(keys.partitions)]
        owners = [await execute(redis_log.redis, "HGET", lease, "owner") for lease in leases]
        assert owners == ["toy-1"] * 4
    owners = [await execute(redis_log.redis, "HGET", lease, "owner") for lease in leases]
    assert owners == [""] * 4
    assert await execute(redis_log.redis, "ZCARD", keys.members("candles")) == 0


async def test_a_service_waits_for_its_log(own_server: EmbeddedServer, keys: Keys) -> None:
    """Alive but not ready while Redis is away, with the reason; ready once it is there."""
    service = toy(own_server.url, keys)
    async with running(service) as client:
        await until(lambda: "cannot be reached" in service.not_ready()[0])
        assert (await client.get("/livez")).status_code == 200
        waiting = await client.get("/readyz")
        assert waiting.status_code == 503
        assert waiting.text.startswith(f"Redis at {masked(own_server.url)} cannot be reached")
        assert waiting.text.endswith("; start it or correct REDIS_URL\n")
        async with started(own_server):
            await until(lambda: answers(client, "/readyz", 200))
            service.stop()
            await until(lambda: service.broker._connection is None)


async def test_a_service_that_waits_can_be_stopped(own_server: EmbeddedServer, keys: Keys) -> None:
    """Nobody has to kill it."""
    service = toy(own_server.url, keys)
    async with running(service):
        await until(lambda: "cannot be reached" in service.not_ready()[0])


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
            {"redis_version": "8.0.0", "role": "slave"},
            "Redis is a slave, not a master; point REDIS_URL at the master",
        ),
    ],
)
async def test_a_server_that_cannot_carry_the_log_is_refused(
    keys: Keys, facts: dict[str, str], why: str
) -> None:
    """One line names what is wrong with it and the mend, and never the password."""
    async with stub_redis(**facts) as url:
        with pytest.raises(BusError) as refusal:
            await asyncio.wait_for(toy(url, keys).run(), 5)
    assert str(refusal.value) == why


async def test_a_real_server_that_evicts_is_refused(own_server: EmbeddedServer, keys: Keys) -> None:
    """Valkey with a policy that drops keys would drop events."""
    async with started(own_server, "--maxmemory-policy", "allkeys-lru"):
        with pytest.raises(BusError, match=r"^Valkey may evict keys \(maxmemory-policy allkeys-"):
            await asyncio.wait_for(toy(own_server.url, keys).run(), 5)


async def test_another_number_of_partitions_is_refused(server_url: str, keys: Keys) -> None:
    """It never changes in a living namespace: the mend is to say the number that it has."""
    async with running(service := toy(server_url, keys)):
        await ready(service)
    with pytest.raises(
        BusError, match=r"has 4 partitions, not 8; set TIDELINE_PARTITIONS=4 or choose another"
    ):
        await asyncio.wait_for(toy(server_url, Keys(keys.namespace, 8)).run(), 5)


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
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.indicators",
        env=os.environ | environment | setting,
        stderr=PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == code
    assert said.decode().startswith(f"tideline: {line.format(namespace=keys.namespace)}")
    assert said.count(b"\n") == 1


async def test_what_fails_beside_the_stages_ends_the_service(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Not a silent stop: the error is raised, and operators are told that the service is gone."""
    service = toy(server_url, keys)

    async def fail() -> None:
        await ready(service)
        raise ArithmeticError("no way on")

    service.add_background("failing", fail)
    with pytest.raises(ArithmeticError, match="no way on"):
        await asyncio.wait_for(service.run(), 10)
    assert [event.kind for event in await told(redis_log)] == ["server_start", "server_stop"]
    assert await execute(redis_log.redis, "ZCARD", keys.members("candles")) == 0


class Hasty(SystemClock):
    """A clock on which a tenth of a second is one."""

    def elapsed(self) -> float:
        return super().elapsed() * 10


async def test_a_stage_that_waits_for_another_turns_readiness_red(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Nobody computes levels: two seconds after a close it is told, once, and shows."""
    service = toy(server_url, keys, stage=TELL, clock=Hasty())
    async with running(service) as client:
        await write(redis_log, [tick(1), close(2, 1)])
        await until(lambda: answers(client, "/readyz", 503))
        await until(
            lambda: "stage signals waits for the stage before it (0)" in service.not_ready()
        )
        for _ in range(3):
            await asyncio.sleep(0.5)
    kinds = [(event.kind, event.detail) for event in await told(redis_log)]
    assert kinds[1:-1] == [("stage_waiting", "stage signals has waited over 2 s")]


async def test_a_service_can_subscribe(server_url: str, keys: Keys) -> None:
    """FastStream's subscriptions run in the frame: here the service hears of its own start."""
    service = toy(server_url, keys)
    heard: list[Event] = []

    @service.broker.subscribe("ops", group="toy", consumer="toy-1")
    async def hear(batch: Batch) -> None:
        heard.extend(batch.events)

    async with running(service) as client:
        await until(lambda: len(heard) == 1)
        metrics = (await client.get("/metrics")).text
    assert isinstance(heard[0], Ops)
    assert heard[0].kind == "server_start"
    handled = f'app_name="toy",broker="redis",handler="{keys.ops()}",status="acked"'
    assert f"faststream_received_processed_messages_total{{{handled}}} 1.0\n" in metrics


async def test_a_service_that_stops_is_not_ready(server_url: str, keys: Keys) -> None:
    """So that nobody is sent to it any more."""
    service = toy(server_url, keys)
    service.stop()
    assert service.not_ready() == ["toy is stopping"]
    await service.log.close()


async def test_a_long_announcement_is_cut(server_url: str, keys: Keys, redis_log: RedisLog) -> None:
    """What operators are told fits its field."""
    service = Service("toy", settings_for(server_url, keys))
    await service.announce("connection_status", "x" * 1000, symbol="DAX")
    await service.log.close()
    (event,) = await told(redis_log)
    assert (event.symbol, event.detail) == ("DAX", "x" * 400)
