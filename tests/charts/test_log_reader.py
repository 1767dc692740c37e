"""Reading the real log: its retained topics, what comes after, and the views."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import SecretStr
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from services.charts.adapters.feeding import follow
from services.charts.adapters.log_reader import LogReader
from services.charts.app import build_app
from services.charts.settings import ChartsSection, ChartsSettings
from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.tasks import end
from shared.bus.topics import Topic
from shared.events import Candle, Event
from tests.charts.feed import ready_hub, until
from tests.charts.made import KEY, alert, candle, closed, reading, signal
from tests.ports import free_port

PATIENCE_S = 60.0
OF: dict[str, Topic] = {
    "candle_closed": "candle_closed",
    "level_computed": "level_computed",
    "signal_generated": "signal_generated",
    "alert_fired": "alert_fired",
}


async def write(log: RedisLog, events: Sequence[Event]) -> None:
    """Put events where the stages would."""
    for event in events:
        partition = partition_of(event.symbol, log.partitions)
        await log.append(partition, OF[event.TYPE], event.wire())


async def show(log: RedisLog, forming: Candle) -> str:
    """Set EURUSD's view as the candles stage would; its text."""
    text = json.dumps({"candles": {"1m": forming.model_dump()}})
    redis: Redis = log.redis
    await redis.hset(
        log.keys.view(partition_of("EURUSD", log.partitions), "candles"), "EURUSD", text
    )
    return text


async def test_everything_retained_is_read_then_what_comes(redis_log: RedisLog) -> None:
    """Charts that start late know what those know that were there."""
    await write(redis_log, [closed(0), reading(0, 1.2), signal(1), alert(1)])
    await write(redis_log, [closed(0, symbol="NIFTY 50")])
    reader = LogReader(redis_log, RedisReads(redis_log.redis, redis_log.keys))
    hub = ready_hub([])
    hub.ready = False
    following = asyncio.create_task(follow(reader, hub))
    await until(lambda: hub.ready)
    assert hub.book.symbols() == ["EURUSD", "NIFTY 50"]
    assert [one.signal is not None for one in hub.book.alerts(None, 10)] == [True]
    await write(redis_log, [closed(1), closed(2)])
    await until(lambda: hub.book.count(KEY) == 3)
    await end([following])


async def test_signal_is_read_before_the_alert_that_names_it(redis_log: RedisLog) -> None:
    """One read gives the topics in the order of cause, whatever order they were written in."""
    await write(redis_log, [alert(1), signal(1), reading(0, 1.2), closed(0)])
    reader = LogReader(redis_log, RedisReads(redis_log.redis, redis_log.keys))
    assert [event.TYPE for event in await reader.batch()] == list(OF)


async def test_entry_that_is_no_event_is_stepped_over(redis_log: RedisLog) -> None:
    """What cannot be read is dead-lettered elsewhere and stops no chart."""
    partition = partition_of("EURUSD", redis_log.partitions)
    await redis_log.append(partition, "candle_closed", ["type", "candle_closed", "v", "1"])
    await write(redis_log, [closed(0)])
    reader = LogReader(redis_log, RedisReads(redis_log.redis, redis_log.keys))
    assert [event.id for event in await reader.batch()] == [closed(0).id]


async def test_views_are_those_of_the_candles_stage(redis_log: RedisLog) -> None:
    """Only the symbols asked for, and only those that have a view."""
    text = await show(redis_log, candle(0))
    reader = LogReader(redis_log, RedisReads(redis_log.redis, redis_log.keys))
    assert await reader.views(["EURUSD", "DAX"]) == {"EURUSD": text}


async def test_service_serves_what_the_log_holds(
    redis_log: RedisLog, server_url: str, keys: Keys
) -> None:
    """Wired as it runs: log and views in, HTTP and WebSocket out, and an end in good order."""
    await write(redis_log, [closed(0)])
    port = free_port()
    settings = ChartsSettings(
        redis_url=SecretStr(server_url),
        namespace=keys.namespace,
        partitions=keys.partitions,
        public_port=port,
        internal_port=0,
        charts=ChartsSection(views_period_ms=50),
    )
    service = build_app(settings)
    running = asyncio.create_task(service.run())
    await until(lambda: not service.not_ready())
    symbols = await served_symbols(port)
    assert [one["symbol"] for one in symbols] == ["EURUSD"]
    address = f"ws://127.0.0.1:{port}/ws/market/EURUSD/1m"
    async with connect(address, open_timeout=PATIENCE_S, ping_interval=None) as chart:
        await hear(chart, "full_update")
        # What is shown before the first snapshot is a part of that, and no update.
        await show(redis_log, candle(1, 1.15))
        message = await hear(chart, "candle_update")
    assert message["candle"]["close"] == 1.15
    service.stop()
    await running


async def served_symbols(port: int) -> Any:
    """The symbols that are served, once history has been read."""
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:
        answer = await client.get("/api/v1/symbols")
        while answer.status_code == 503:
            await asyncio.sleep(0.05)
            answer = await client.get("/api/v1/symbols")
    return answer.json()["symbols"]


async def hear(chart: ClientConnection, kind: str) -> Any:
    """The next message of a kind."""
    message: Any = {"type": ""}
    while message["type"] != kind:
        message = json.loads(await asyncio.wait_for(chart.recv(), PATIENCE_S))
    return message
