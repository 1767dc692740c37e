"""Any service is killed during the demo and started again: nothing is lost, nothing doubled."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.ingest.adapters.feeds.demo.feed import START
from services.ingest.adapters.feeds.demo.market import DemoMarket
from services.ingest.domain.instruments import built_in
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.events import AlertFired, Event, SignalGenerated, Tick
from shared.events.base import MICROS_PER_MINUTE
from tests.integration.house import drained, topic, until_time
from tests.integration.oracle import assert_equals_oracle

pytestmark = pytest.mark.timeout(600)

SERVICES = ("notifier", "signals", "indicators", "charts", "ingest")
# A market day in twelve minutes: signals come quickly, and a pause of a second costs two minutes.
SPEED = "120"
# Five interpreters start at once on what may be two busy cores.
_PATIENCE_S = 150.0


class Demo:
    """The five services as processes over one namespace."""

    def __init__(self, url: str, keys: Keys, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "REDIS_URL": url,
            "TIDELINE_NAMESPACE": keys.namespace,
            "TIDELINE_PARTITIONS": str(keys.partitions),
            "TIDELINE_INTERNAL_PORT": "0",
            "TIDELINE_PUBLIC_PORT": "0",
            "TIDELINE_DATA_DIR": str(folder / "tables"),
            "TIDELINE_INGEST__FEED": "demo",
            "TIDELINE_INGEST__SPEED": SPEED,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, **settings: str) -> None:
        """Start a service under the worker name it always has."""
        own = {"TIDELINE_WORKER": f"{name}-1", **settings}
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"services.{name}"],
                env={**os.environ, **self._environment, **own},
                stdout=log,
                stderr=log,
            )

    def end(self, name: str, number: signal.Signals) -> None:
        """Send a signal and wait until the process is gone."""
        process = self._processes.pop(name)
        process.send_signal(number)
        process.wait(_PATIENCE_S)

    def end_all(self) -> None:
        """Leave nothing behind."""
        for name in list(self._processes):
            self.end(name, signal.SIGKILL)


@contextmanager
def playing(url: str, keys: Keys, folder: Path) -> Iterator[Demo]:
    """The demo until the block ends."""
    demo = Demo(url, keys, folder)
    try:
        for name in SERVICES:
            demo.start(name)
        yield demo
    finally:
        demo.end_all()


async def until_signals(log: RedisLog, more_than: int) -> int:
    """Wait until there are more signals than that; returns how many."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (found := _count(await topic(log, "signal_generated"))) <= more_than:
        assert loop.time() - began < _PATIENCE_S, f"still {found} signals"
        await asyncio.sleep(0.2)
    return found


async def until_market(log: RedisLog, at: int) -> None:
    """Wait until the market has come so far."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    now = 0
    while now < at:
        assert loop.time() - began < _PATIENCE_S, f"the market is still at {now}"
        await asyncio.sleep(0.5)
        events = [event for part in (await topic(log, "tick")).values() for event in part]
        now = max(event.at for event in events if isinstance(event, Tick))


def _count(parts: Mapping[int, list[Event]]) -> int:
    return sum(len(events) for events in parts.values())


async def test_killed_services_lose_and_double_nothing(
    server_url: str, keys: Keys, redis_log: RedisLog, tmp_path: Path
) -> None:
    """Each service is killed while the market runs, and comes back a moment later."""
    with playing(server_url, keys, tmp_path) as demo:
        await until_signals(redis_log, 0)
        for name in SERVICES:
            demo.end(name, signal.SIGKILL)
            await asyncio.sleep(0.5)
            demo.start(name)
            await asyncio.sleep(1.0)
        await until_signals(redis_log, 3)
        await until_market(redis_log, START + 15 * MICROS_PER_MINUTE)
        # The market ends, the rest of the chain does not: what is on its way must arrive.
        demo.end("ingest", signal.SIGTERM)
        ended_at = SystemClock().now()
        demo.start("ingest", TIDELINE_INGEST__FEED="none", TIDELINE_INGEST__SPEED="1")
        await until_time(redis_log, ended_at)
        await drained(redis_log)
    spine = await topic(redis_log, "tick")
    assert await assert_equals_oracle(redis_log, spine) > 8_000
    _assert_ticks_are_the_markets(spine)
    await _assert_every_signal_was_told(redis_log)


def _assert_ticks_are_the_markets(spine: Mapping[int, list[Event]]) -> None:
    """Each symbol's ticks are the simulated path from the start on, without gap or repeat."""
    ticks = [event for part in spine.values() for event in part if isinstance(event, Tick)]
    market = DemoMarket(1, START, {one.symbol: one for one in built_in()})
    symbols = {tick.symbol for tick in ticks}
    assert {"EURUSD", "MES", "VIX"} <= symbols
    for symbol in symbols:
        found = [(tick.at, tick.price) for tick in ticks if tick.symbol == symbol]
        assert len(found) > 20
        assert found == list(_path(market, symbol, found[-1][0]))


def _path(market: DemoMarket, symbol: str, last: int) -> Iterator[tuple[int, float]]:
    for span in market.sessions(symbol, START, last + 1):
        at, price, _ = market.ticks(symbol, span)
        for when, what in zip(at.tolist(), price.tolist(), strict=True):
            if START <= when <= last:
                yield when, what


async def _assert_every_signal_was_told(log: RedisLog) -> None:
    """One receipt for every signal, however often a sender died over it."""
    signals = [
        event.id
        for part in (await topic(log, "signal_generated")).values()
        for event in part
        if isinstance(event, SignalGenerated)
    ]
    receipts = [
        event.signal
        for part in (await topic(log, "alert_fired")).values()
        for event in part
        if isinstance(event, AlertFired)
    ]
    assert sorted(receipts) == sorted(signals)
