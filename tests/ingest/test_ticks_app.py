"""The live feed with IBKR first: seeds, prices as they are made, an outage, prices again."""

import asyncio
import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from services.ingest.adapters.feeds.pace import Pace
from services.ingest.adapters.feeds.push.inlet import Inlet
from services.ingest.adapters.feeds.push.parse import Book, read_batch
from services.ingest.app import build_app
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.sessions import minute
from services.ingest.settings import IngestSection, IngestSettings
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.tasks import end
from shared.clock import SystemClock
from shared.events import CandleClosed, CandleIn, DeadLetter, Event, Source, Tick
from shared.market.instruments import Instrument
from tests.ingest.feeds.fake_tws import FakeTws

MINUTE = 60_000_000
START = "2026-06-10T14:00:00Z"
PACE = "pace:live:1781100000000000"
# A minute of the market in three seconds.
SPEED = 20
ALWAYS = """
[ONE]
title = "always open"
kind = "volatility"
tick_size = 0.01
decimals = 2
grace_ms = 2000
session = {zone = "UTC", start = "00:00", end = "00:00", days = [1, 2, 3, 4, 5, 6, 7]}
names = {ibkr = "IND:VIX:CBOE:USD"}
"""
ONE = Instrument.model_validate({"symbol": "ONE", **tomllib.loads(ALWAYS)["ONE"]})


async def events(log: RedisLog, keys: Keys, topic: str) -> list[Event]:
    reads, found = RedisReads(log.redis, keys), list[Event]()
    for partition in range(keys.partitions):
        entries = await reads.recent(partition, topic, 20_000)  # type: ignore[arg-type]
        found += [event for _, event in entries if isinstance(event, Event)]
    return found


async def ticks(log: RedisLog, keys: Keys) -> list[Tick]:
    return [one for one in await events(log, keys, "tick") if isinstance(one, Tick)]


async def talk(tws: FakeTws) -> None:
    """Say a price of whoever follows VIX, again and again."""
    while True:
        for number in tws.requests(1, "VIX")[-1:]:
            tws.say(1, 1, number, 4, 17.5, 1, 0)
        await asyncio.sleep(0.05)


async def until(done: Callable[[Sequence[Tick]], bool], log: RedisLog, keys: Keys) -> list[Tick]:
    """The spine's prices, once they are as they should be."""
    for _ in range(1_200):
        found = await ticks(log, keys)
        if done(found):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come about")


async def market_now(log: RedisLog, keys: Keys) -> int:
    """The simulated day's time, once it runs."""
    for _ in range(1_200):
        found = await execute(log.redis, "HGET", keys.meta(), PACE)
        if found is not None:
            return Pace(*json.loads(found)).market_at(SystemClock().now())
        await asyncio.sleep(0.1)
    raise AssertionError("the day did not begin")


async def push(log: RedisLog, keys: Keys) -> None:
    """Give prices of ONE at the market's time, again and again."""
    inlet, book = Inlet(log.redis, keys), Book(InstrumentTable([ONE]))
    while True:
        now = await market_now(log, keys)
        await inlet.take(read_batch([{"symbol": "ONE", "at": now, "price": 17.5}], book, now))
        await asyncio.sleep(0.05)


def app_settings(
    url: str, keys: Keys, folder: Path, port: int, source: str = "ibkr"
) -> IngestSettings:
    instruments = folder / "instruments.toml"
    instruments.write_text(ALWAYS)
    given = {
        "feed": "live",
        "start": START,
        "speed": SPEED,
        "symbols": ["ONE"],
        "instruments": instruments,
        "sources": {"volatility": [source]},
        "push": {"channels": {}},
        "ibkr": {"port": port, "timeout_s": 60},
    }
    return IngestSettings(
        redis_url=url,  # type: ignore[arg-type]
        namespace=keys.namespace,
        partitions=keys.partitions,
        internal_port=0,
        public_port=0,
        ingest=IngestSection.model_validate(given),
    )


async def test_prices_of_tws_stand_on_the_spine_after_an_outage_too(
    server_url: str, keys: Keys, redis_log: RedisLog, tmp_path: Path
) -> None:
    """Every minute is closed once, from prices or from candles of the past; none twice."""
    tws = FakeTws()
    tws.makes_bars = True
    async with tws.serving():
        service = build_app(app_settings(server_url, keys, tmp_path, tws.port))
        running = asyncio.create_task(service.run())
        talking = asyncio.create_task(talk(tws))
        try:
            before = await until(lambda found: len(found) > 50, redis_log, keys)
            await tws.hang_up()
            again = before[-1].at + 5 * MINUTE
            await until(lambda found: found[-1].at > again, redis_log, keys)
        finally:
            await end([talking])
            service.stop()
            await running
    spine = await events(redis_log, keys, "tick")
    assert {one.origin for one in spine if isinstance(one, CandleIn)} >= {"seed"}
    assert {one.source for one in spine if isinstance(one, Source)} == {"ibkr"}
    letters = await events(redis_log, keys, "dead_letter")
    reasons = [one.reason for one in letters if isinstance(one, DeadLetter)]
    # Two seconds of the market's grace are a tenth of one here: a busy machine may be late.
    assert [one for one in reasons if not one.startswith("late: ")] == []
    closed = await events(redis_log, keys, "candle_closed")
    minutes = [o for o in closed if isinstance(o, CandleClosed) and o.timeframe == "1m"]
    opens = [one.open_at for one in minutes]
    assert opens == sorted(set(opens))
    assert minute(before[-1].at) in opens


async def test_pushed_prices_are_one_source_of_the_live_feed(
    server_url: str, keys: Keys, redis_log: RedisLog, tmp_path: Path
) -> None:
    """Named first for a kind they stand on the spine; nobody else has candles of it, so they count
    after a minute of waiting for some."""
    service = build_app(app_settings(server_url, keys, tmp_path, 1, source="push"))
    running = asyncio.create_task(service.run())
    pushing = asyncio.create_task(push(redis_log, keys))
    try:
        found = await until(lambda ticks: len(ticks) > 20, redis_log, keys)
    finally:
        await end([pushing])
        service.stop()
        await running
    assert {(one.symbol, one.source, one.price) for one in found} == {("ONE", "push", 17.5)}
    assert [one.at for one in found] == sorted(one.at for one in found)
    sources = [one for one in await events(redis_log, keys, "tick") if isinstance(one, Source)]
    assert [one.source for one in sources] == ["push"]
