"""The signals service's routes over a real log and real tables, its stage driven by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from services.signals.api import build_web
from services.signals.app import STAGE
from services.signals.settings import SignalsSection, SignalsSettings
from shared.bus.log import START
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.events import Config, ConfigRequested, SignalGenerated
from shared.events.codec import decode
from shared.service.web import public_app
from tests.conftest import Database
from tests.signals.play import FRIDAY, SECOND


class Spines:
    """All partitions' writers and stages, as far as rules go."""

    def __init__(self, log: RedisLog) -> None:
        self._log = log
        self._read = dict.fromkeys(range(log.partitions), START)
        self._steps = [STAGE.restore({}) for _ in range(log.partitions)]

    async def apply(self) -> list[str]:
        """Put what the inboxes hold in force; the names of the sets, in order."""
        names: list[str] = []
        for partition, step in enumerate(self._steps):
            at: Any = (partition, "inbox")
            raw = await self._log.read({at: self._read[partition]}, count=100, block_ms=0)
            names = []
            for entry_id, event in decode(raw.get(at, [])):
                assert isinstance(event, ConfigRequested)
                self._read[partition] = entry_id
                step.process([Config(**{**event.model_dump(), "pos": 1})])
                names.append(event.name)
            key = self._log.keys.state(partition, "signals")
            for field, text in step.changes().items():
                await self._log.redis.hset(key, field, text)
        return names


@asynccontextmanager
async def asking(
    log: RedisLog, database: Database, **section: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The routes, asked over ASGI."""
    settings = settings_of(log, database, **section)
    web = build_web(settings, log, SystemClock())
    transport = httpx.ASGITransport(public_app([web]))
    async with (
        web.open(),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


def settings_of(log: RedisLog, database: Database, **section: Any) -> SignalsSettings:
    """Settings of a test's own log and tables."""
    common: dict[str, Any] = {
        "namespace": log.keys.namespace,
        "partitions": log.partitions,
        **database,
    }
    return SignalsSettings(**common, signals=SignalsSection(**section))


def signal(number: int, **changed: Any) -> SignalGenerated:
    """The ``number``-th signal of a day, one a second."""
    at = FRIDAY + number * SECOND
    fields: dict[str, Any] = {
        "symbol": "TEST",
        "at": at,
        "pos": number + 1,
        "config": "mine",
        "rule": "high",
        "rule_version": "1a",
        "action": "touch",
        "direction": "short",
        "timeframe": "1d",
        "level": "previous_day.high@2026-11-19T00:00Z",
        "level_price": 100.0,
        "price": 99.0,
        "gap": False,
        "operands": {"price": 99.0},
        "reason": "touched yesterday's high",
        "expires_at": None,
        "cause": "tick",
    }
    return SignalGenerated(**{**fields, **changed})
