"""Two providers on loopback, in Yahoo's and Twelve Data's protocol, over one invented market.

Neither reads a clock: a request says itself up to when it wants candles, so they serve any pace.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from services.ingest.domain.sessions import SessionCalendar, window
from shared.events.base import micros, moment
from shared.market.timeframes import LENGTH_US, Timeframe
from tests.ingest.lines import TABLE
from tests.ingest.live.bodies import HTML, as_body, chart, twelve_error

S = 1_000_000
MINUTE = LENGTH_US["1m"]
_TWELVE: dict[str, Timeframe] = {"1min": "1m", "15min": "15m", "1h": "1h"}
_YAHOO: dict[str, Timeframe] = {"1m": "1m", "15m": "15m", "60m": "1h"}
_ERROR = 503

Row = tuple[int, tuple[float, float, float, float], float]
"""Opening (µs), open high low close, volume."""


class Market:
    """Minutes of every instrument in its own session: a function of symbol and time alone."""

    def __init__(self) -> None:
        self._calendars = {one.symbol: SessionCalendar(one.session) for one in TABLE.instruments}

    def price(self, symbol: str, minute: int) -> float:
        """The price at the start of a minute."""
        step = (minute * 2654435761 + len(symbol) * 40503) % 1000
        return round(100 + step / 100, 4)

    def minutes(self, symbol: str, since: int, until: int) -> list[Row]:
        """Every minute of its sessions that opens in ``[since, until)``."""
        rows = []
        calendar = self._calendars[symbol]
        for at in range(-(-since // MINUTE) * MINUTE, until, MINUTE):
            if calendar.at(at) is not None:
                number = at // MINUTE
                first, last = self.price(symbol, number), self.price(symbol, number + 1)
                high, low = max(first, last) + 0.5, min(first, last) - 0.5
                rows.append((at, (first, high, low, last), float(number % 7)))
        return rows

    def candles(self, symbol: str, timeframe: Timeframe, since: int, until: int) -> list[Row]:
        """Candles of a timeframe; the last may still be forming."""
        if timeframe == "1m":
            return self.minutes(symbol, since, until)
        rows: dict[int, Row] = {}
        for at, prices, volume in self.minutes(symbol, since - LENGTH_US[timeframe], until):
            span = self._calendars[symbol].at(at)
            assert span is not None
            opened = window(timeframe, at, span)[0]
            known = rows.get(opened)
            if known is None:
                rows[opened] = (opened, prices, volume)
            else:
                first, high, low, _ = known[1]
                merged = (first, max(high, prices[1]), min(low, prices[2]), prices[3])
                rows[opened] = (opened, merged, known[2] + volume)
        return [row for opened, row in sorted(rows.items()) if since <= opened < until]


@dataclass
class Outage:
    """From a market time on so many calls fail: with a status, a page (``html``), no answer at all
    (``hang``) or a closed connection (``drop``). Counted in calls, so that no pace runs past it.
    """

    since: int
    calls: int
    how: int | str


@dataclass
class Stub:
    """One provider, with its outages; ``now`` is the newest time that anybody asked about."""

    market: Market
    outages: list[Outage] = field(default_factory=list)
    latency_s: float = 0.0
    credits_minute: int | None = None
    url: str = ""
    asked: list[str] = field(default_factory=list)
    now: int = 0

    def outage(self) -> int | str | None:
        """What is wrong with the call that was just made."""
        for one in self.outages:
            if one.since <= self.now and one.calls > 0:
                one.calls -= 1
                return one.how
        return None


def yahoo(stub: Stub, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
    """``/v8/finance/chart/<name>?interval&period1&period2``."""
    name = unquote(path.rpartition("/")[2])
    since, until = int(query["period1"]) * S, int(query["period2"]) * S
    stub.now = max(stub.now, until)
    symbol = _symbol("yfinance", name)
    stub.asked.append(name)
    if symbol is None:
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return 404, as_body({"chart": {"result": None, "error": error}})
    rows = stub.market.candles(symbol, _YAHOO[query["interval"]], since, until)
    return 200, as_body(chart([(at // S, prices, size) for at, prices, size in rows]))


def twelve_data(stub: Stub, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
    """``/time_series?symbol&interval&start_date&end_date``."""
    assert path == "/time_series"
    names = query["symbol"].split(",")
    since, until = (_at(query[name]) for name in ("start_date", "end_date"))
    stub.now = max(stub.now, until)
    stub.asked += names
    found: dict[str, Any] = {}
    for name in names:
        symbol = _symbol("twelvedata", name)
        if symbol is None:
            found[name] = twelve_error(404, f"**symbol** not found: {name}.")
            continue
        rows = stub.market.candles(symbol, _TWELVE[query["interval"]], since, until + S)
        if not rows:
            found[name] = twelve_error(400, "No data is available on the specified dates.")
            continue
        values = [
            {
                "datetime": f"{moment(at):%Y-%m-%d %H:%M:%S}",
                **dict(zip(("open", "high", "low", "close"), map(str, prices), strict=True)),
            }
            for at, prices, _ in rows
        ]
        found[name] = {"meta": {"symbol": name}, "values": values, "status": "ok"}
    return 200, as_body(found if len(names) > 1 else found[names[0]])


Speak = Callable[[Stub, str, Mapping[str, str]], tuple[int, bytes]]


@asynccontextmanager
async def served(stub: Stub, speak: Speak) -> AsyncIterator[Stub]:
    """The stub on a free port of loopback, as long as the block lasts."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while await _exchange(stub, speak, reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks))
        await server.wait_closed()


async def _exchange(
    stub: Stub, speak: Speak, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer one request; False where the connection is over."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    target = urlsplit(head.split(" ", 2)[1])
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    status, body = speak(stub, target.path, query)
    await asyncio.sleep(stub.latency_s)
    how = stub.outage()
    if how == "drop":
        return False
    if how == "hang":
        await asyncio.Event().wait()
    if how is not None:
        status, body = (200, HTML) if how == "html" else (int(how), b"")
    lines = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(lines.encode() + body)
    await writer.drain()
    return True


def _symbol(provider: str, name: str) -> str | None:
    return TABLE.named(provider).get(name) if name not in TABLE.symbols else None


def _at(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def parsed(body: bytes) -> Any:
    return json.loads(body)
