"""``tideline up`` lives through a simulated market day over stubs, with outages of each in it.

Wednesday 2026-06-10, UTC; DAX opens at 07:00 and closes at 15:30, NDX is open from 13:30 to 20:00.
Twelve Data gives FX and Yahoo the indices; FX is asked of Yahoo while Twelve Data is away.

    07:00         09:00 on, 12 calls   15:15 on, 12 calls    17:15 on, 6 calls 21:03
    seeds before  Twelve Data 503      Yahoo sends pages     both drop them    end
"""

import asyncio
import contextlib
import json
import signal
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.sessions import SessionCalendar
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.topics import Topic
from shared.events import CandleClosed, CandleIn, Event, Gap, Ops, Source
from shared.events.codec import decode
from tests.cli.processes import Started
from tests.ingest.lines import TABLE, at, clock
from tests.ingest.live.stubs import Market, Outage, Stub, served, twelve_data, yahoo
from tests.integration.house import topic
from tests.integration.oracle import DERIVED
from tests.ports import free_port
from tideline.oracle import oracle

SYMBOLS = ("DAX", "NDX", "EURUSD", "EURGBP")
BEGIN, FIRST, LAST, END = "06:58", "07:00", "21:00", "21:03"
QUARTER = 15 * 60_000_000
# Faster, and an answer takes minutes of the market's time on a busy machine.
SPEED = 600
PATIENCE_S = 400.0
LATE_S = 100.0
LOOK_S = 0.1

IsWhole = Callable[[], Awaitable[bool]]


async def recorded(log: RedisLog, topic: Topic) -> list[Event]:
    """Everything that stands in a topic of every partition."""
    found: list[Event] = []
    for partition in range(log.keys.partitions):
        start = "0-0"
        while True:
            read = await log.read({(partition, topic): start}, count=5_000, block_ms=0)
            entries = read.get((partition, topic), [])
            if not entries:
                break
            start = entries[-1][0]
            found += [event for _, event in decode(entries) if isinstance(event, Event)]
    return found


async def announced(log: RedisLog) -> list[str]:
    """What operators were told of connections."""
    entries: Any = await execute(log.redis, "XRANGE", log.keys.ops(), "-", "+")
    events = [event for _, event in decode(entries)]
    return [
        event.detail
        for event in events
        if isinstance(event, Ops) and event.kind == "connection_status"
    ]


def environment(url: str, keys: Keys, twelve: Stub, yahoo_: Stub) -> dict[str, str]:
    """What `tideline up` is told: live providers at other addresses, and a time gone by."""
    return {
        "REDIS_URL": url,
        "TIDELINE_NAMESPACE": keys.namespace,
        "TIDELINE_PARTITIONS": str(keys.partitions),
        "TIDELINE_INGEST__FEED": "live",
        "TIDELINE_INGEST__SYMBOLS": json.dumps(SYMBOLS),
        "TIDELINE_INGEST__SPEED": str(SPEED),
        "TIDELINE_INGEST__START": f"2026-06-10T{BEGIN}:00Z",
        "TIDELINE_INGEST__YFINANCE__BASE_URL": yahoo_.url,
        "TIDELINE_INGEST__YFINANCE__TIMEOUT_S": "30",
        "TIDELINE_INGEST__TWELVEDATA__BASE_URL": twelve.url,
        "TIDELINE_INGEST__TWELVEDATA__KEY": "of-nobody",
        "TIDELINE_INGEST__TWELVEDATA__TIMEOUT_S": "30",
        "TIDELINE_INGEST__TWELVEDATA__CREDITS_MINUTE": "55",
        "TIDELINE_INGEST__TWELVEDATA__CREDITS_DAY": "100000",
    }


async def live_through(
    place: Path, told: dict[str, str], stubs: tuple[Stub, Stub], is_whole: IsWhole
) -> None:
    """Run all services until the providers have been asked about the day's end, and have told."""
    run = Started(place, ["up", "--port", str(free_port())], told)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while max(stub.now for stub in stubs) < at(END):
                assert run.process.poll() is None, run.out + run.err
                await asyncio.sleep(LOOK_S)
        # One symbol is asked about before another; what is never told is named in the end.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LATE_S):
                while True:
                    if await is_whole():
                        break
                    await asyncio.sleep(LOOK_S)
        run.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(run.ends) == 0, run.err
    finally:
        run.process.kill()
        run.process.wait()


def given(events: Sequence[Event], symbol: str) -> list[CandleIn]:
    """The minutes of the day that were given for a symbol, in the order of the spine."""
    return [
        event
        for event in events
        if isinstance(event, CandleIn)
        and event.symbol == symbol
        and event.timeframe == "1m"
        and event.open_at >= at(FIRST)
    ]


def quarters(market: Market, symbol: str) -> dict[int, tuple[float, ...]]:
    """The quarter hours of the day that the market's minutes come to, by their opening."""
    calendar = SessionCalendar(TABLE.get(symbol).session)

    def opening(row: tuple[int, Any, Any]) -> int:
        span = calendar.at(row[0])
        assert span is not None
        return row[0] - (row[0] - span.open_at) % QUARTER

    found: dict[int, tuple[float, ...]] = {}
    rows = market.minutes(symbol, at(FIRST), at(LAST))
    for opened, part in groupby(rows, key=opening):
        prices = [row[1] for row in part]
        highs, lows = max(p[1] for p in prices), min(p[2] for p in prices)
        found[opened] = (prices[0][0], highs, lows, prices[-1][3])
    return found


def closed_quarters(events: Sequence[Event], symbol: str) -> dict[int, tuple[float, ...]]:
    """The quarter hours of the day that have closed, by their opening."""
    return {
        one.open_at: (one.open, one.high, one.low, one.close)
        for one in events
        if isinstance(one, CandleClosed)
        and (one.symbol, one.timeframe) == (symbol, "15m")
        and one.open_at >= at(FIRST)
    }


async def is_day_whole(log: RedisLog, market: Market) -> bool:
    """Whether each minute of every symbol is on the spine, and each quarter hour has closed."""
    spines, closed = await recorded(log, "tick"), await recorded(log, "candle_closed")
    return all(
        {row[0] for row in market.minutes(symbol, at(FIRST), at(LAST))}
        <= {one.open_at for one in given(spines, symbol)}
        and quarters(market, symbol).keys() <= closed_quarters(closed, symbol).keys()
        for symbol in SYMBOLS
    )


@pytest.mark.timeout(800)
async def test_a_day_with_outages_loses_nothing(
    server_url: str, keys: Keys, redis_log: RedisLog, tmp_path: Path
) -> None:
    """Every minute that a provider had stands on the spine once, whoever was away when.

    So do the changes of source, operators are told of every loss, and everything that the later
    services made of it equals the oracle's.
    """
    market = Market()
    twelve = Stub(market, [Outage(at("09:00"), 12, 503), Outage(at("17:15"), 6, "drop")])
    yahoo_ = Stub(market, [Outage(at("15:15"), 12, "html"), Outage(at("17:15"), 6, "drop")])
    async with served(twelve, twelve_data), served(yahoo_, yahoo):
        told = environment(server_url, keys, twelve, yahoo_)
        stubs = (twelve, yahoo_)
        await live_through(tmp_path, told, stubs, lambda: is_day_whole(redis_log, market))
    spines = await recorded(redis_log, "tick")
    assert await recorded(redis_log, "dead_letter") == []
    assert [event for event in spines if isinstance(event, Gap)] == []
    closed = await recorded(redis_log, "candle_closed")
    for symbol in SYMBOLS:
        minutes = given(spines, symbol)
        rows = market.minutes(symbol, at(FIRST), at(LAST))
        opened = [one.open_at for one in minutes]
        assert opened == sorted(set(opened))
        assert [clock(row[0]) for row in rows if row[0] not in opened] == []
        by_time = {one.open_at: (one.open, one.high, one.low, one.close) for one in minutes}
        assert {row[0]: by_time[row[0]] for row in rows} == {row[0]: row[1] for row in rows}
        made = closed_quarters(closed, symbol)
        expected = quarters(market, symbol)
        assert {opening: made.get(opening) for opening in expected} == expected
    sources = {e.source for e in spines if isinstance(e, Source) and e.symbol == "EURUSD"}
    assert sources == {"twelvedata", "yfinance"}
    lost = [line.partition(":")[0] for line in await announced(redis_log)]
    assert {"twelvedata is lost (http", "yfinance is lost (body"} <= set(lost)
    assert {"twelvedata answers again", "yfinance answers again"} <= set(lost)
    await assert_derived(redis_log)


async def assert_derived(log: RedisLog) -> None:
    """What the later services wrote is the oracle's, as far as they had come when stopped."""
    found = {name: await topic(log, name) for name in DERIVED}
    for partition, entries in (await topic(log, "tick")).items():
        expected = oracle(entries).topics
        for name in DERIVED:
            written = found[name][partition]
            assert written == expected[name][: len(written)], (name, partition)
    assert sum(len(part) for topics in found.values() for part in topics.values()) > 4_000
