"""The notifier as a service, on a real server: signals in, alerts and receipts out."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import generate_latest

from services.notifier.app import build_app
from services.notifier.settings import NotifierSettings
from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.tail import Tail, events
from shared.events import AlertFired, SignalGenerated
from shared.service.frame import Service
from tests.notifier.bench import PATIENCE_S, until
from tests.notifier.receiver import Receiver, receiving
from tests.notifier.samples import AT, a_signal

SYMBOLS = ("EURUSD", "DAX", "NIFTY 50", "VIX", "MES", "XAUUSD")
COUNTED = (
    b'tideline_alerts_total{channel="console",status="delivered"} 30.0',
    b'tideline_alerts_total{channel="desk",status="delivered"} 10.0',
)


def some_signals(count: int) -> list[SignalGenerated]:
    """Signals of six symbols, which live in different partitions."""
    return [a_signal(symbol=SYMBOLS[n % 6], at=AT + n * 1_000_000, pos=n + 1) for n in range(count)]


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """The service at work, stopped in good order."""
    task = asyncio.create_task(service.run())
    try:
        yield
    finally:
        service.stop()
        await asyncio.wait_for(task, PATIENCE_S)


async def receipts(log: RedisLog, count: int) -> list[AlertFired]:
    """The first so many receipts of all partitions."""
    found: list[AlertFired] = []
    async with asyncio.timeout(PATIENCE_S):
        async for batch in Tail(log, ["alert_fired"]):
            found += [event for event in events(batch) if isinstance(event, AlertFired)]
            if len(found) >= count:
                break
    return found


def settings(url: str, keys: Keys, receiver: Receiver, **notifier: Any) -> NotifierSettings:
    """Settings for a namespace of the test's own, with a webhook named desk for EURUSD and MES."""
    return NotifierSettings.load(
        redis_url=url,
        namespace=keys.namespace,
        partitions=keys.partitions,
        internal_port=0,
        notifier={
            "webhooks": {
                "desk": {
                    "url": receiver.url,
                    "secret": "0123456789abcdef",
                    # A busy machine is no reason to try again.
                    "timeout_s": PATIENCE_S,
                }
            },
            "routes": [
                {"channels": ["console"]},
                {"channels": ["desk"], "symbols": ["EUR*", "MES"]},
            ],
            **notifier,
        },
    )


async def test_signals_become_alerts_on_their_channels(
    server_url: str, keys: Keys, redis_log: RedisLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty signals: all on the console, a third at the webhook, each with its receipt."""
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    signals = some_signals(30)
    async with receiving() as receiver:
        service = build_app(settings(server_url, keys, receiver))
        for signal in signals:
            partition = partition_of(signal.symbol, keys.partitions)
            await redis_log.append(partition, "signal_generated", signal.wire())
        async with running(service):
            found = await receipts(redis_log, 40)
            # Receipts are counted once the log has said that it holds them.
            await until(lambda: all(line in generate_latest(service.metrics) for line in COUNTED))
    assert {receipt.status for receipt in found} == {"delivered"}
    desk = [signal.id for signal in signals if signal.symbol in ("EURUSD", "MES")]
    assert sorted(one.signal for one in found if one.channel == "desk") == sorted(desk)
    assert sorted(one.signal for one in found if one.channel == "console") == sorted(
        signal.id for signal in signals
    )
    assert sorted(receiver.keys) == sorted(f"alert_intent:desk:{signal}" for signal in desk)
    lines = [line for line in stdout.getvalue().splitlines() if line.startswith("ALERT ")]
    assert len(lines) == 30


async def test_a_restart_repeats_nothing(
    server_url: str, keys: Keys, redis_log: RedisLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped and started again, the service goes on behind the last alert."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    signals = some_signals(12)
    async with receiving() as receiver:
        for half, ended in ((signals[:6], 8), (signals[6:], 16)):
            for signal in half:
                partition = partition_of(signal.symbol, keys.partitions)
                await redis_log.append(partition, "signal_generated", signal.wire())
            async with running(build_app(settings(server_url, keys, receiver))):
                await receipts(redis_log, ended)
        async with running(build_app(settings(server_url, keys, receiver))):
            found = await receipts(redis_log, 16)
    assert len(found) == 16
    assert len({receipt.id for receipt in found}) == 16
    assert len(receiver.keys) == len(set(receiver.keys)) == 4
