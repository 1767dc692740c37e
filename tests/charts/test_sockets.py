"""The WebSocket, over a real server and a real client."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from services.charts.settings import ChartsSection
from tests.charts.feed import FedReader, Running, serving, until
from tests.charts.made import MINUTE, NINE, alert, candle, closed, reading, signal

# Pings are far apart: one between two messages, on a machine that is slow, would count as either.
SECTION = ChartsSection(views_period_ms=20, ping_s=300, waiting_max=5, snapshot_candles=3)
PATIENCE_S = 60.0


@pytest.fixture
def reader() -> FedReader:
    """Two symbols with some history."""
    reader = FedReader()
    reader.feed([*[closed(minute) for minute in range(5)], reading(4, 1.2), signal(1), alert(1)])
    reader.feed([closed(0, symbol="GC=F", timeframe="1h"), closed(0, symbol="NIFTY 50")])
    return reader


@pytest.fixture
async def server(reader: FedReader) -> AsyncIterator[Running]:
    async with serving(reader, SECTION) as running:
        yield running


@contextlib.asynccontextmanager
async def chart(
    server: Running, symbol: str = "EURUSD", timeframe: str = "1m", query: str = ""
) -> AsyncIterator[ClientConnection]:
    async with connected(server, f"{quote(symbol, safe='')}/{timeframe}{query}") as socket:
        yield socket


def connected(server: Running, path: str) -> connect:
    return connect(f"{server.ws}/ws/market/{path}", open_timeout=PATIENCE_S, ping_interval=None)


async def hear(socket: ClientConnection, kind: str = "") -> Any:
    """The next message, or the next of a kind."""
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        if kind in ("", message["type"]):
            return message


def forming(minute: int, close: float) -> dict[str, str]:
    """The view of EURUSD with its 1m candle forming."""
    return {"EURUSD": json.dumps({"candles": {"1m": candle(minute, close).model_dump()}})}


async def test_connection_begins_with_hello_and_a_snapshot(server: Running) -> None:
    """The greeting names the protocol; the snapshot holds candles, levels, signals and alerts."""
    async with chart(server) as socket:
        hello, snapshot = await hear(socket), await hear(socket)
    assert (hello["type"], hello["protocol"], hello["symbol"]) == ("hello", 1, "EURUSD")
    assert (hello["seq"], hello["v"], snapshot["seq"]) == (1, 1, 2)
    assert (snapshot["type"], snapshot["snapshot"]) == ("full_update", True)
    assert [one["open_at"] for one in snapshot["candles"]] == [
        NINE + minute * MINUTE for minute in (2, 3, 4)
    ]
    assert snapshot["levels"][0]["price"] == 1.2
    assert len(snapshot["signals"]["break_signals"]) == 1
    assert [one["symbol"] for one in snapshot["alerts"]] == ["EURUSD"]


async def test_resumed_connection_gets_what_it_lacks(server: Running) -> None:
    """``since`` is the last closed candle that the client has; the snapshot begins with it."""
    async with chart(server, query=f"?since={NINE + 3 * MINUTE}") as socket:
        snapshot = await hear(socket, "full_update")
    assert [one["open_at"] for one in snapshot["candles"]] == [
        NINE + minute * MINUTE for minute in (3, 4)
    ]


async def test_forming_candle_is_sent_when_it_changes(server: Running, reader: FedReader) -> None:
    """Views are looked at for watched symbols only, and told as small updates."""
    async with chart(server) as socket:
        await hear(socket, "full_update")
        reader.shown = forming(5, 1.15)
        first = await hear(socket, "candle_update")
        reader.shown = forming(5, 1.18)
        second = await hear(socket, "candle_update")
    assert (first["candle"]["close"], second["candle"]["close"]) == (1.15, 1.18)
    assert (first["provisional"], second["seq"]) == (True, first["seq"] + 1)
    assert reader.asked[-1] == {"EURUSD"}


async def test_new_candle_brings_a_full_update(server: Running, reader: FedReader) -> None:
    """The close comes at once as a final candle, then everything that follows from it."""
    async with chart(server) as socket:
        await hear(socket, "full_update")
        reader.feed([closed(5, 1.14), reading(5, 1.25, 1.3)])
        final, full = await hear(socket), await hear(socket)
    assert (final["type"], final["candle"]["closed"], final["provisional"]) == (
        "candle_update",
        True,
        False,
    )
    assert (full["type"], full["candle"]["open_at"]) == ("full_update", NINE + 5 * MINUTE)
    assert [level["price"] for level in full["levels"]] == [1.3, 1.25]
    assert "candles" not in full


async def test_levels_of_the_day_reach_every_chart(server: Running, reader: FedReader) -> None:
    """A new daily level shows on a 1m chart without waiting for its next candle."""
    async with chart(server) as socket:
        await hear(socket, "full_update")
        reader.feed([reading(0, 1.4, timeframe="1d", key="previous_day.high")])
        full = await hear(socket, "full_update")
    assert [level["key"] for level in full["levels"]] == ["previous_day.high", "swing.high"]


async def test_levels_of_other_charts_are_not_told(server: Running, reader: FedReader) -> None:
    """A swing on 15m changes nothing on a 1m chart, so nothing is sent."""
    async with chart(server) as socket:
        await hear(socket, "full_update")
        reader.feed([reading(0, 1.4, timeframe="15m"), closed(5)])
        assert (await hear(socket))["type"] == "candle_update"


async def test_signal_and_alert_are_sent_at_once(server: Running, reader: FedReader) -> None:
    """Both are messages of their own; the alert carries its signal."""
    async with chart(server) as socket:
        await hear(socket, "full_update")
        reader.feed([signal(6), alert(6)])
        told, fired = await hear(socket, "signal"), await hear(socket, "alert")
    assert told["signal"]["reason"].startswith("EURUSD broke")
    assert (fired["alert"]["signal"]["id"], fired["alert"]["status"]) == (
        told["signal"]["id"],
        "delivered",
    )


async def test_alerts_of_other_symbols_only_if_wanted(server: Running, reader: FedReader) -> None:
    """A chart hears of its own symbol; ``alerts=all`` of every symbol."""
    async with chart(server) as own, chart(server, query="?alerts=all") as everything:
        await hear(own, "full_update")
        await hear(everything, "full_update")
        reader.feed([signal(6, symbol="NIFTY 50"), alert(6, symbol="NIFTY 50"), alert(7)])
        assert (await hear(everything, "alert"))["alert"]["symbol"] == "NIFTY 50"
        assert (await hear(own, "alert"))["alert"]["symbol"] == "EURUSD"


async def test_sequence_has_no_gap(server: Running, reader: FedReader) -> None:
    """Whatever the type, each message of a connection has the next number."""
    async with chart(server) as socket:
        await hear(socket, "full_update")
        reader.feed([closed(5), reading(5, 1.2), signal(6), alert(6), closed(6)])
        numbers = [(await hear(socket))["seq"] for _ in range(5)]
    assert numbers == [3, 4, 5, 6, 7]


async def test_slow_client_gets_a_snapshot_instead_of_the_past(
    server: Running, reader: FedReader
) -> None:
    """More messages than may wait are dropped, and what is sent then stands alone."""
    async with chart(server) as socket:
        await hear(socket, "full_update")
        reader.feed([closed(minute) for minute in range(5, 25)])
        snapshot = await hear(socket, "full_update")
    assert snapshot["snapshot"] is True
    assert snapshot["candles"][-1]["open_at"] == NINE + 24 * MINUTE


async def test_silence_brings_pings(reader: FedReader) -> None:
    """A page can tell a quiet market from a dead connection, and hears when the log is away."""
    section = ChartsSection(views_period_ms=20, ping_s=0.3)
    async with serving(reader, section) as server, chart(server) as socket:
        assert (await hear(socket, "ping"))["log"] == "ok"
        reader.away = True
        # Pings that were sent before that may still be on their way.
        async with asyncio.timeout(PATIENCE_S):
            while (await hear(socket, "ping"))["log"] != "away":
                pass
        assert server.hub.log_away
        reader.away = False
        await until(lambda: not server.hub.log_away)


async def test_many_clients_share_one_tracker(server: Running, reader: FedReader) -> None:
    """The status counts charts, their candles and signals; a chart left by all is gone."""
    async with chart(server) as one, chart(server) as other, chart(server, "GC=F", "1h") as gold:
        for socket in (one, other, gold):
            await hear(socket, "full_update")
        reader.feed([closed(5)])
        await hear(one, "candle_update")
        async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
            status = (await client.get(f"{server.http}/ws/status")).json()
    assert status["active_trackers"] == 2
    assert set(status["trackers"]) == {"EURUSD_1m", "GC=F_1h"}
    tracker = status["trackers"]["EURUSD_1m"]
    assert (tracker["last_candle_count"], tracker["clients"]) == (6, 2)
    assert tracker["last_update_time"] > 0
    assert tracker["cached_signals_count"] == {
        "pivot_points": 1,
        "fvg_zones": 0,
        "break_signals": 1,
        "touch_signals": 0,
        "sweep_signals": 0,
        "retest_signals": 0,
        "enter_signals": 0,
        "leave_signals": 0,
        "condition_signals": 0,
    }
    await until(lambda: not server.hub.watched())


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("EURUDS/1m", 4404, "unknown symbol 'EURUDS'; the nearest is EURUSD"),
        ("EURUSD/7m", 4422, "unknown timeframe '7m'; use one of 1m, 5m, 15m, 1h, 4h, 1d"),
        ("EURUSD/1m?since=noon", 4422, "since: microseconds UTC are wanted"),
    ],
)
async def test_refused_connection_says_why(
    server: Running, path: str, code: int, says: str
) -> None:
    """An error message, then a close whose code mirrors HTTP's."""
    async with connected(server, path) as socket:
        assert (await hear(socket))["detail"] == says
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert socket.close_code == code


async def test_symbols_are_url_encoded(server: Running) -> None:
    """A space and an equals sign in a symbol are no obstacle."""
    async with chart(server, "NIFTY 50") as socket:
        assert (await hear(socket))["symbol"] == "NIFTY 50"
    async with chart(server, "GC=F", "1h") as socket:
        assert (await hear(socket))["symbol"] == "GC=F"


async def test_too_many_clients_are_turned_away(reader: FedReader) -> None:
    """Above the limit a client is told to try again later."""
    async with serving(reader, ChartsSection(clients_max=1)) as server, chart(server) as first:
        await hear(first, "full_update")
        async with chart(server) as second:
            assert (await hear(second))["status"] == 503
            with pytest.raises(ConnectionClosed):
                await second.recv()
        assert second.close_code == 1013
