"""A simulated market day of the ingest service over stubs, with outages of both providers in it.

Wednesday 2026-06-10, UTC; NDX opens at 13:30, DAX closes at 15:30, NDX at 20:00. Twelve Data gives
FX and Yahoo the indices; FX is asked of Yahoo while Twelve Data is away.

    13:00         14:00 on, 12 calls   15:15 on, 12 calls    17:15 on, 6 calls 20:03
    seeds before  Twelve Data 503      Yahoo sends pages     both drop them    end
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import pytest

from services.ingest.app import build_app
from services.ingest.domain.candles import CandlesStep
from services.ingest.domain.sessions import SessionCalendar
from services.ingest.settings import IngestSection, IngestSettings
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.step import StageSpec
from shared.bus.topics import Topic
from shared.events import CandleClosed, CandleIn, Event, Gap, Ops, Source
from shared.events.codec import decode
from tests.ingest.lines import TABLE, at, clock
from tests.ingest.live.stubs import Market, Outage, Stub, served, twelve_data, yahoo
from tests.integration.house import running, settings

SYMBOLS = ("DAX", "NDX", "EURUSD", "EURGBP")
BEGIN, END = "12:58", "20:03"
QUARTER = 15 * 60_000_000
# Faster, and an answer takes minutes of the market's time on a busy machine.
SPEED = 600
PATIENCE_S = 150.0
LOOK_S = 0.1


def section(twelve: Stub, yahoo_: Stub) -> dict[str, Any]:
    return {
        "feed": "live",
        "symbols": SYMBOLS,
        "speed": SPEED,
        "start": f"2026-06-10T{BEGIN}:00Z",
        "yfinance": {"base_url": yahoo_.url, "timeout_s": 30.0},
        "twelvedata": {
            "base_url": twelve.url,
            "key": "of-nobody",
            "timeout_s": 30.0,
            "credits_minute": 55,
            "credits_day": None,
        },
    }


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


class Bystander:
    """A later stage that reads and decides nothing, so that nobody is held back for it."""

    def __init__(self, state: Mapping[str, str]) -> None:
        self._state = state

    def process(self, events: Sequence[Event]) -> list[Event]:
        return []

    def changes(self) -> dict[str, str]:
        return {}


async def live_through(url: str, keys: Keys, stubs: tuple[Stub, Stub], until: str) -> None:
    """Run the service until the providers have been asked about this time."""
    ingest = IngestSettings(**settings(url, keys), ingest=IngestSection(**section(*stubs)))
    service = build_app(ingest)
    service.add_stage(StageSpec("indicators", "candle_closed", "level_computed", Bystander))
    service.add_stage(StageSpec("signals", "tick", "signal_generated", Bystander))
    async with running([service]), asyncio.timeout(PATIENCE_S):
        while max(stub.now for stub in stubs) < at(until):  # noqa: ASYNC110 - stubs tell nobody
            await asyncio.sleep(LOOK_S)


def given(events: Sequence[Event], symbol: str) -> list[CandleIn]:
    """The minutes of the day that were given for a symbol, in the order of the spine."""
    return [
        event
        for event in events
        if isinstance(event, CandleIn)
        and event.symbol == symbol
        and event.timeframe == "1m"
        and event.open_at >= at("13:00")
    ]


def quarters(market: Market, symbol: str) -> dict[int, tuple[float, ...]]:
    """The quarter hours of the day that the market's minutes come to, by their opening."""
    calendar = SessionCalendar(TABLE.get(symbol).session)

    def opening(row: tuple[int, Any, Any]) -> int:
        span = calendar.at(row[0])
        assert span is not None
        return row[0] - (row[0] - span.open_at) % QUARTER

    found: dict[int, tuple[float, ...]] = {}
    rows = market.minutes(symbol, at("13:00"), at("20:00"))
    for opened, part in groupby(rows, key=opening):
        prices = [row[1] for row in part]
        highs, lows = max(p[1] for p in prices), min(p[2] for p in prices)
        found[opened] = (prices[0][0], highs, lows, prices[-1][3])
    return found


@pytest.mark.timeout(240)
async def test_a_day_with_outages_loses_nothing(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Every minute that a provider had stands on the spine once, whoever was away when.

    So do the changes of source, and operators are told of every loss.
    """
    market = Market()
    twelve = Stub(market, [Outage(at("14:00"), 12, 503), Outage(at("17:15"), 6, "drop")])
    yahoo_ = Stub(market, [Outage(at("15:15"), 12, "html"), Outage(at("17:15"), 6, "drop")])
    async with served(twelve, twelve_data), served(yahoo_, yahoo):
        await live_through(server_url, keys, (twelve, yahoo_), END)
    spines = await recorded(redis_log, "tick")
    assert await recorded(redis_log, "dead_letter") == []
    assert [event for event in spines if isinstance(event, Gap)] == []
    closed = [one for one in CandlesStep({}).process(spines) if isinstance(one, CandleClosed)]
    for symbol in SYMBOLS:
        minutes = given(spines, symbol)
        rows = market.minutes(symbol, at("13:00"), at("20:00"))
        opened = [one.open_at for one in minutes]
        assert opened == sorted(set(opened))
        assert [clock(row[0]) for row in rows if row[0] not in opened] == []
        by_time = {one.open_at: (one.open, one.high, one.low, one.close) for one in minutes}
        assert {row[0]: by_time[row[0]] for row in rows} == {row[0]: row[1] for row in rows}
        made = {
            one.open_at: (one.open, one.high, one.low, one.close)
            for one in closed
            if one.symbol == symbol and one.timeframe == "15m"
        }
        expected = quarters(market, symbol)
        assert {opening: made.get(opening) for opening in expected} == expected
    sources = {e.source for e in spines if isinstance(e, Source) and e.symbol == "EURUSD"}
    assert sources == {"twelvedata", "yfinance"}
    lost = [line.partition(":")[0] for line in await announced(redis_log)]
    assert {"twelvedata is lost (http", "yfinance is lost (body"} <= set(lost)
    assert {"twelvedata answers again", "yfinance answers again"} <= set(lost)
