"""Yahoo's WebSocket: what its frames mean, and the loop against a server that closes or dies."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from services.ingest.adapters.feeds.live.accounts import Accounts
from services.ingest.adapters.feeds.yfinance.frames import Frames
from services.ingest.adapters.feeds.yfinance.stream import YfinanceStream, _decoder
from services.ingest.domain.asking import ProviderFault
from services.ingest.domain.items import FeedTick
from services.ingest.settings import Side, YfinanceSection
from shared.events.ops import OpsKind
from tests.ingest.lines import at

NOW = at("14:00:10")
NAMES = {"MSFT": "MSFT", "EURUSD=X": "EURUSD"}


def frame(**fields: Any) -> str:
    """A frame as Yahoo sends it today."""
    from yfinance.pricing_pb2 import PricingData

    message = PricingData(**{"id": "MSFT", "time": NOW // 1000, "market_hours": 1, **fields})
    payload = base64.b64encode(message.SerializeToString()).decode()
    return json.dumps({"type": "pricing", "message": payload})


def frames(side: Side = "last") -> Frames:
    return Frames("yfinance_stream", NAMES, side, _decoder())


def test_a_recorded_frame_is_a_price(shared_data: Path) -> None:
    """The frame of MSFT, as the recording says what is in it."""
    recorded = json.loads((shared_data / "api/yahoo/websocket/messages_b64.json").read_text())
    (sample,) = [m for m in recorded["messages"] if m["expected"]["id"] == "MSFT"]
    (tick,) = frames().read(sample["b64"], 2_000_000_000_000_000)
    assert tick == FeedTick("MSFT", 1_589_554_809_000_000, 177.42, 0.0, "yfinance_stream")


def test_the_volume_is_the_difference_of_the_days() -> None:
    """Yahoo counts up; the first message and a count that begins anew give none."""
    reader, sizes = frames(), []
    for number, volume in enumerate((1_000, 1_250, 1_250, 900, 950)):
        (tick,) = reader.read(frame(price=10.0 + number, day_volume=volume), NOW)
        sizes.append(tick.size)
    assert sizes == [0.0, 250.0, 0.0, 0.0, 50.0]


@pytest.mark.parametrize(
    ("side", "price"), [("last", 1.1), ("bid", 1.09), ("ask", 1.13), ("mid", 1.11)]
)
def test_the_price_is_the_side_of_the_settings(side: Side, price: float) -> None:
    """Bid, ask or their middle where both are told, else the last price."""
    (tick,) = frames(side).read(frame(id="EURUSD=X", price=1.1, bid=1.09, ask=1.13), NOW)
    assert (tick.symbol, tick.price) == ("EURUSD", price)
    (tick,) = frames(side).read(frame(id="EURUSD=X", price=1.1), NOW)
    assert tick.price == 1.1


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("<!DOCTYPE html>", "unreadable"),
        ("{", "unreadable"),
        ('{"type": "pricing"}', "unreadable"),
        ("aGVsbG8gd29ybGQ=", "unreadable"),
        (frame(id="AAPL", price=1.0), "unknown"),
        (frame(price=1.0, market_hours=2), "window"),
        (frame(price=1.0, time=NOW // 1000 + 3_600_000), "future"),
        (frame(price=1.0, bid=1.2, ask=1.1), "crossed"),
    ],
)
def test_what_cannot_be_used_is_counted(sent: str, why: str) -> None:
    """Pages, broken frames, strangers, the hours outside, the future, crossed prices."""
    reader = frames("mid")
    assert reader.read(sent, NOW) == []
    assert reader.dropped == {why: 1}


def test_a_repeated_message_counts_once() -> None:
    """The same time, price and volume again."""
    reader = frames()
    assert len(reader.read(frame(price=1.0, day_volume=5), NOW)) == 1
    assert reader.read(frame(price=1.0, day_volume=5), NOW) == []
    assert reader.dropped == {"duplicate": 1}


async def _tell(kind: OpsKind, detail: str, symbol: str = "*") -> None:
    return


@asynccontextmanager
async def listening(ends: str) -> AsyncIterator[tuple[YfinanceStream, list[Any], Accounts]]:
    """A stream to a server that sends a broken frame and a price, and then ends so."""
    heard: list[Any] = []

    async def talk(connection: ServerConnection) -> None:
        heard.append(json.loads(await connection.recv()))
        await connection.send("no frame")
        await connection.send(frame(price=2.5))
        if ends == "abrupt":
            connection.transport.abort()

    async with serve(talk, "127.0.0.1", 0, open_timeout=60.0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        section = YfinanceSection(stream_url=f"ws://127.0.0.1:{port}", timeout_s=60.0)
        accounts = Accounts(_tell)
        yield YfinanceStream(section, accounts, lambda: NOW), heard, accounts


async def collect(stream: YfinanceStream, ticks: list[FeedTick]) -> None:
    async with aclosing(stream.prices(NAMES)) as prices:  # type: ignore[type-var]
        async for batch in prices:
            ticks += batch


@pytest.mark.parametrize("ends", ["clean", "abrupt"])
async def test_however_it_ends_it_can_be_begun_again(ends: str) -> None:
    """A clean close and a death are told as faults, and the next connection has prices again."""
    async with listening(ends) as (stream, heard, accounts):
        for life in (1, 2):
            ticks: list[FeedTick] = []
            with pytest.raises(ProviderFault) as caught:
                await collect(stream, ticks)
            assert caught.value.kind == "connection"
            assert [tick.price for tick in ticks] == [2.5]
            assert heard == [{"subscribe": ["MSFT", "EURUSD=X"]}] * life
        dropped = dict(dict(accounts.metrics())["tideline_provider_rows_dropped_total"])
    assert dropped == {("yfinance_stream", "unreadable"): 2}


async def test_what_is_followed_changes_on_one_connection() -> None:
    """Symbols come and go while it listens; the volume of one that comes back begins anew."""
    said: asyncio.Queue[Any] = asyncio.Queue()
    names, volumes = {"MSFT": "MSFT"}, iter((100, 150, 900))

    async def talk(connection: ServerConnection) -> None:
        await connection.send(frame(price=1.0, day_volume=next(volumes)))
        await connection.send(frame(price=2.0, day_volume=next(volumes)))
        async for message in connection:
            said.put_nowait(json.loads(message))
            if json.loads(message) == {"subscribe": ["MSFT", "EURUSD=X"]}:
                await connection.send(frame(price=3.0, day_volume=next(volumes)))

    async with serve(talk, "127.0.0.1", 0, open_timeout=60.0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        section = YfinanceSection(stream_url=f"ws://127.0.0.1:{port}", timeout_s=60.0)
        stream = YfinanceStream(section, Accounts(_tell), lambda: NOW)
        ticks: list[FeedTick] = []
        async with asyncio.timeout(60), aclosing(stream.prices(names)) as prices:  # type: ignore[type-var]
            async for batch in prices:
                ticks += batch
                if len(ticks) == 2 and "MSFT" in names:
                    names.clear()
                    names["EURUSD=X"] = "EURUSD"
                elif "MSFT" not in names and said.qsize() == 3:
                    names.clear()
                    names.update(NAMES)
                if len(ticks) == 3:
                    break
    assert [said.get_nowait() for _ in range(4)] == [
        {"subscribe": ["MSFT"]},
        {"unsubscribe": ["MSFT"]},
        {"subscribe": ["EURUSD=X"]},
        {"subscribe": ["MSFT", "EURUSD=X"]},
    ]
    assert [tick.size for tick in ticks] == [0.0, 50.0, 0.0]


async def test_nobody_there_is_a_lost_connection() -> None:
    """A port without a server."""
    section = YfinanceSection(stream_url="ws://127.0.0.1:9", timeout_s=60.0)
    stream = YfinanceStream(section, Accounts(_tell), lambda: NOW)
    with pytest.raises(ProviderFault) as caught:
        await anext(aiter(stream.prices(NAMES)))
    assert caught.value.kind == "connection"
