"""The frame around every service, from start to stop."""

import asyncio

import pytest

from shared.bus.connection import execute, masked
from shared.bus.consumer import Batch
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.events import Event, Ops
from shared.service.frame import Service
from tests.bus.toys import TELL, close, tick, write
from tests.service.toys import (
    PATIENCE_S,
    answers,
    ready,
    running,
    says,
    settings_for,
    started,
    told,
    toy,
    until,
    was_told,
)
from tideline.embedded import EmbeddedServer


async def test_a_service_answers_for_its_health(server_url: str, keys: Keys) -> None:
    """Alive at once, ready when its stages come round, with figures for Prometheus."""
    async with running(toy(server_url, keys)) as client:
        await until(lambda: says(client, "/readyz", "ready\n"))
        assert await says(client, "/livez", "alive\n")
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
        await asyncio.wait_for(service.run(), PATIENCE_S)
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
        await until(lambda: was_told(redis_log, "stage_waiting"))
        # Who watches looks every second; the next look says nothing new.
        await asyncio.sleep(1.1)
    kinds = [(event.kind, event.detail) for event in await told(redis_log)]
    assert kinds[1:-1] == [("stage_waiting", "stage signals has waited over 2 s")]


async def test_a_service_outlives_its_server(own_server: EmbeddedServer, keys: Keys) -> None:
    """Red while the server is gone, though alive; ready again, with its leases, once it is back."""
    service = toy(own_server.url, keys, clock=Hasty())
    async with started(own_server) as power, running(service) as client:
        await until(lambda: answers(client, "/readyz", 200))
        await power.off()
        await until(lambda: answers(client, "/readyz", 503))
        await until(lambda: "is the log's server there?" in service.not_ready()[0])
        assert await answers(client, "/livez", 200)
        await power.on()
        await until(lambda: answers(client, "/readyz", 200))
        await until(lambda: service._progress()[0].owned == keys.partitions)


async def test_a_service_can_subscribe(server_url: str, keys: Keys) -> None:
    """FastStream's subscriptions run in the frame: here the service hears of its own start."""
    service = toy(server_url, keys)
    heard: list[Event] = []

    @service.broker.subscribe("ops", group="toy", consumer="toy-1")
    async def hear(batch: Batch) -> None:
        heard.extend(batch.events)

    handled = f'app_name="toy",broker="redis",handler="{keys.ops()}",status="acked"'
    counter = f"faststream_received_processed_messages_total{{{handled}}} 1.0\n"

    async with running(service) as client:

        async def counted() -> bool:
            return counter in (await client.get("/metrics")).text

        await until(counted)
    (event,) = heard[:1]
    assert isinstance(event, Ops)
    assert event.kind == "server_start"


async def test_a_service_that_stops_is_not_ready(server_url: str, keys: Keys) -> None:
    """So that nobody is sent to it any more."""
    service = toy(server_url, keys)
    service.stop()
    assert service.not_ready() == ["toy is stopping"]
    await service.log.close()


@pytest.mark.parametrize("name", ["watch", "upkeep", "own"])
async def test_two_backgrounds_of_one_name_are_refused(
    server_url: str, keys: Keys, name: str
) -> None:
    """One would silently take the other's place, the frame's own included."""

    async def nothing() -> None: ...

    service = Service("toy", settings_for(server_url, keys))
    service.add_background("own", nothing)
    with pytest.raises(ValueError, match=f"background task '{name}' already"):
        service.add_background(name, nothing)
    await service.log.close()


async def test_a_long_announcement_is_cut(server_url: str, keys: Keys, redis_log: RedisLog) -> None:
    """What operators are told fits its field."""
    service = Service("toy", settings_for(server_url, keys))
    await service.announce("connection_status", "x" * 1000, symbol="DAX")
    await service.log.close()
    (event,) = await told(redis_log)
    assert (event.symbol, event.detail) == ("DAX", "x" * 400)
