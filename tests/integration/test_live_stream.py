"""Yahoo's WebSocket over its candles, in the whole ingest service: prices as they are made."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from services.ingest.app import build_app
from services.ingest.settings import IngestSection, IngestSettings
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.events import CandleIn, Event, Source, Tick
from shared.events.codec import decode
from tests.ingest.lines import at
from tests.ingest.live.stubs import Market, Stub, served, yahoo
from tests.integration.house import running, settings

SPEED = 60
PATIENCE_S = 300.0
EVERY_S = 0.05


@asynccontextmanager
async def streaming(stub: Stub) -> AsyncIterator[str]:
    """A WebSocket that tells a price of NDX again and again, at the stub's own time."""
    from yfinance.pricing_pb2 import PricingData

    async def talk(connection: ServerConnection) -> None:
        assert json.loads(await connection.recv()) == {"subscribe": ["^NDX"]}
        time_ms = 0
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                time_ms = max(time_ms + 1_000, stub.now // 1_000 - 3_000)
                price = 100 + time_ms // 1_000 % 7
                message = PricingData(id="^NDX", time=time_ms, price=price, market_hours=1)
                payload = base64.b64encode(message.SerializeToString()).decode()
                await connection.send(json.dumps({"type": "pricing", "message": payload}))
        except ConnectionClosed:
            return

    async with serve(talk, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def section(stub: Stub, stream_url: str) -> dict[str, Any]:
    return {
        "feed": "live",
        "symbols": ["NDX"],
        "speed": SPEED,
        "start": "2026-06-10T14:00:00Z",
        "sources": {"index": ["yfinance_stream", "yfinance"]},
        "yfinance": {"base_url": stub.url, "stream_url": stream_url, "timeout_s": 30.0},
    }


async def spine(log: RedisLog) -> list[Event]:
    found: list[Event] = []
    for partition in range(log.keys.partitions):
        read = await log.read({(partition, "tick"): "0-0"}, count=10_000, block_ms=0)
        entries = read.get((partition, "tick"), [])
        found += [event for _, event in decode(entries) if isinstance(event, Event)]
    return [event for event in found if event.symbol == "NDX"]


def is_followed(events: list[Event]) -> bool:
    """Whether some prices have come, and the symbol is the stream's."""
    sources = [one.source for one in events if isinstance(one, Source)]
    ticks = [one for one in events if isinstance(one, Tick)]
    return len(ticks) >= 5 and sources[-1:] == ["yfinance_stream"]


@pytest.mark.timeout(600)
async def test_prices_of_the_websocket_stand_on_the_spine(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Seeds and the first minutes are candles; then its own prices count, under its name."""
    stub = Stub(Market())
    async with served(stub, yahoo), streaming(stub) as stream_url:
        ingest = IngestSettings(
            **settings(server_url, keys), ingest=IngestSection(**section(stub, stream_url))
        )
        events: list[Event] = []
        async with running([build_app(ingest)]), asyncio.timeout(PATIENCE_S):
            # Others are asked meanwhile where this machine stands still for a minute of the market.
            while not is_followed(events):
                await asyncio.sleep(0.2)
                events = await spine(redis_log)
    ticks = [one for one in events if isinstance(one, Tick)]
    assert {one.source for one in ticks} == {"yfinance_stream"}
    assert ticks[0].at >= at("14:00")
    sources = [one.source for one in events if isinstance(one, Source)]
    assert sources[-1] == "yfinance_stream"
    first = events.index(ticks[0])
    assert {one.source for one in events[:first] if isinstance(one, CandleIn)} == {"yfinance"}
