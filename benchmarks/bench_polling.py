"""Fifty symbols polled at a provider that takes 300 ms to answer, on one core."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.results import Goal, Row, row
from services.ingest.adapters.feeds.live.accounts import Accounts
from services.ingest.adapters.feeds.live.engine import LiveEngine
from services.ingest.adapters.feeds.yfinance.feed import Yfinance
from services.ingest.adapters.watched import FixedSet
from services.ingest.domain.instruments import InstrumentTable, built_in
from services.ingest.domain.items import Cursor, FeedCandle
from services.ingest.settings import SourcesSection, YfinanceSection
from shared.events.ops import OpsKind

SYMBOLS = 50
LATENCY_S = 0.3
_WITHIN_S = 60.0
_MINUTE = 60_000_000
# A Wednesday, 14:00 UTC: New York is open.
_NOW = 1_781_100_000_000_000
_PATIENCE_S = 120.0


def rows(_: bool) -> list[Row]:
    """The figure, of a process of its own that has one core."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_polling"],
        capture_output=True,
        text=True,
        timeout=2 * _PATIENCE_S,
        check=True,
    )
    taken: float = json.loads(run.stdout.splitlines()[-1])
    unit = f"s until {SYMBOLS} symbols were polled at {LATENCY_S * 1000:.0f} ms an answer, one core"
    return [row("poll_50_symbols_s", taken, unit, Goal(_WITHIN_S, at_most=True))]


class _Standing:
    """A market that stands at one moment, so that every symbol is due once."""

    def now(self) -> int:
        return _NOW

    def elapsed(self) -> float:
        return time.monotonic()


async def _quiet(kind: OpsKind, detail: str, symbol: str = "*") -> None:
    return


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Yahoo's chart of one minute, after the latency, until the connection is closed."""
    opened = (_NOW - 2 * _MINUTE) // 1_000_000
    quote = {name: [100.0, 100.0] for name in ("open", "high", "low", "close", "volume")}
    result = {"meta": {}, "timestamp": [opened, opened + 60], "indicators": {"quote": [quote]}}
    body = json.dumps({"chart": {"result": [result], "error": None}}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(LATENCY_S)
            writer.write(head + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _poll(url: str, symbols: Sequence[str], table: InstrumentTable) -> float:
    """Seconds until every symbol has its candle."""
    watched = FixedSet(symbols)
    clock = _Standing()
    engine = LiveEngine(table, watched, SourcesSection().of, Accounts(_quiet), clock)
    engine.add(Yfinance(YfinanceSection(base_url=url)))
    cursors = dict.fromkeys(symbols, Cursor(_NOW - 2 * _MINUTE, 1))
    begun, seen = time.monotonic(), set()
    running = asyncio.create_task(engine.run())
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async for batch in engine.stream(symbols, cursors):
                seen |= {item.symbol for item in batch if isinstance(item, FeedCandle)}
                if len(seen) == len(symbols):
                    break
        return time.monotonic() - begun
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _measure() -> float:
    sample = next(one for one in built_in() if one.symbol == "NDX")
    made = [
        sample.model_copy(update={"symbol": f"S{n:02d}", "names": {"yfinance": f"S{n:02d}"}})
        for n in range(SYMBOLS)
    ]
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        symbols = [one.symbol for one in made]
        return await _poll(f"http://127.0.0.1:{port}", symbols, InstrumentTable(made))


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(asyncio.run(_measure())))
