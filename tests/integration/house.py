"""All five services in one process, on a real server, for tests."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from services.charts.app import build_app as build_charts
from services.charts.settings import ChartsSettings
from services.indicators.app import build_app as build_indicators
from services.indicators.settings import IndicatorsSettings
from services.ingest.app import build_app as build_ingest
from services.ingest.settings import IngestSection, IngestSettings
from services.notifier.app import build_app as build_notifier
from services.notifier.settings import NotifierSettings
from services.signals.app import build_app as build_signals
from services.signals.settings import SignalsSettings
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import START
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.topics import STAGES, Topic
from shared.events import Event, Ops, Watermark
from shared.events.codec import Poison, decode
from shared.service.frame import Service

_PAGE = 5_000
_DRAINED_LOOKS = 3
_LOOK_S = 0.1


def settings(url: str, keys: Keys) -> dict[str, Any]:
    """What all services of a test share; every port is any free one."""
    return {
        "redis_url": url,
        "namespace": keys.namespace,
        "partitions": keys.partitions,
        "worker": "test",
        "public_port": 0,
        "internal_port": 0,
    }


def build(url: str, keys: Keys, ingest: Mapping[str, Any]) -> list[Service]:
    """The five services; ``ingest`` is that service's own section."""
    common = settings(url, keys)
    return [
        build_notifier(NotifierSettings(**common)),
        build_signals(SignalsSettings(**common)),
        build_indicators(IndicatorsSettings(**common)),
        build_charts(ChartsSettings(**common)),
        build_ingest(IngestSettings(**common, ingest=IngestSection(**ingest))),
    ]


@asynccontextmanager
async def running(services: list[Service]) -> AsyncIterator[None]:
    """Run services until the block ends; whatever one of them raises comes out.

    The last one starts when the others are ready, as the launcher starts whoever writes prices.
    """
    tasks = [asyncio.create_task(service.run()) for service in services[:-1]]
    try:
        while any(service.not_ready() for service in services[:-1]):
            await asyncio.sleep(_LOOK_S)
            for task in tasks:
                if task.done():
                    task.result()
        tasks.append(asyncio.create_task(services[-1].run()))
        yield
    finally:
        for service in services:
            service.stop()
        await asyncio.gather(*tasks)


async def played_out(log: RedisLog) -> None:
    """Wait until the feed of every partition has ended and no stage is behind."""
    while True:
        if len(await ended(log)) == log.partitions:
            break
        await asyncio.sleep(_LOOK_S)
    await drained(log)


async def ended(log: RedisLog) -> set[str]:
    """What was announced of feeds that came to their end; a partition says it once or more.

    Other things are announced as well: on a busy machine, that a stage has waited.
    """
    entries = await execute(log.redis, "XRANGE", log.keys.ops(), "-", "+")
    events = [event for _, event in decode(entries)]
    return {e.detail for e in events if isinstance(e, Ops) and e.kind == "last_entry"}


async def drained(log: RedisLog) -> None:
    """Wait until no stage is behind, at several looks in a row."""
    reads, quiet = RedisReads(log.redis, log.keys), 0
    while quiet < _DRAINED_LOOKS:
        await asyncio.sleep(_LOOK_S)
        rows = [row for stage in STAGES for one in (await reads.lag(stage)).values() for row in one]
        behind = sum(row.behind for row in rows)
        quiet = quiet + 1 if behind == 0 else 0


async def until_time(log: RedisLog, at: int) -> None:
    """Wait until every partition's spine has come so far.

    Whoever writes spines closes what is over before: a chain can look idle until then, and is not.
    """
    while True:
        spines = (await topic(log, "tick")).values()
        if all(spine and spine[-1].at >= at for spine in spines):
            return
        await asyncio.sleep(_LOOK_S)


async def topic(log: RedisLog, name: Topic) -> dict[int, list[Event]]:
    """Everything in a topic but watermarks, by partition.

    Raises:
        AssertionError: something in it is no event.
    """
    found: dict[int, list[Event]] = {}
    for partition in range(log.partitions):
        offset, events = START, list[Event]()
        while page := (await log.read({(partition, name): offset}, count=_PAGE, block_ms=0)):
            entries = page[partition, name]
            offset = entries[-1][0]
            for _, event in decode(entries):
                assert not isinstance(event, Poison), event
                if not isinstance(event, Watermark):
                    events.append(event)
        found[partition] = events
    return found
