"""The indicators service over a real log, with candles put into it by hand and routes over ASGI."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from services.indicators.api import build_web
from services.indicators.domain.defaults import recipes
from services.indicators.domain.stage import stage
from services.indicators.settings import IndicatorsSection, IndicatorsSettings
from services.ingest.domain.candles import CANDLES
from services.ingest.domain.items import FeedCandle, Item
from services.ingest.domain.spine import SpineWriter
from shared.bus.log import START
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import Pace, StageWorker
from shared.bus.topics import StageName
from shared.clock import SystemClock
from shared.events import ConfigRequested, Event
from shared.events.base import MICROS_PER_MINUTE as MINUTE
from shared.events.codec import decode
from shared.service.web import public_app
from tests.ingest.lines import TABLE, at

PATIENCE_S = 60.0
SYMBOL = "EURUSD"
OPEN_AT = at("14:00")


class Market:
    """EURUSD's partition: its spine's writer and both stages, driven by hand."""

    def __init__(self, log: RedisLog) -> None:
        self.log = log
        self.partition = partition_of(SYMBOL, log.partitions)
        self.spine: list[Event] = []
        self._writer = SpineWriter(TABLE, {})
        self._inbox = START
        self._minute = 0
        clock = SystemClock()
        self._workers = [
            StageWorker(log, spec, "test", clock) for spec in (CANDLES, stage(recipes()))
        ]
        for worker in self._workers:
            worker.pace = Pace(block_ms=5)

    async def minutes(self, count: int) -> None:
        """The next closed minutes, up and down, through both stages."""
        candles: list[Item] = []
        for n in range(self._minute, self._minute + count):
            middle, open_at = 1.1 + ((n * 7) % 11 + n % 3) / 1000, OPEN_AT + n * MINUTE
            prices = (middle, middle + 0.001, middle - 0.001, middle + 0.0005)
            candles.append(
                FeedCandle(SYMBOL, "1m", open_at, open_at + MINUTE, *prices, 1.0, "test", "live")
            )
        self._minute += count
        await self.write(candles)
        await self.read_up()

    async def write(self, items: Sequence[Item | ConfigRequested]) -> None:
        """Let the spine's writer decide on these."""
        for entry in self._writer.process(items):
            self.spine.append(entry)
            await self.log.append(self.partition, "tick", entry.wire())

    async def take_requests(self) -> None:
        """Let the spine's writer look into its inbox."""
        raw = await self.log.read({(self.partition, "inbox"): self._inbox}, count=100, block_ms=0)
        for entries in raw.values():
            self._inbox = entries[-1][0]
            await self.write(
                [one for _, one in decode(entries) if isinstance(one, ConfigRequested)]
            )

    async def turn(self) -> None:
        """Let the writer and both stages work."""
        await self.take_requests()
        for worker in self._workers:
            await worker.turn()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work in the background until the block ends."""
        ended = asyncio.Event()

        async def work() -> None:
            while not ended.is_set():
                await self.turn()

        task = asyncio.create_task(work())
        try:
            yield
        finally:
            ended.set()
            await task

    async def read_up(self) -> None:
        """Work until both stages have read everything."""
        idle = 0
        async with asyncio.timeout(PATIENCE_S):
            while idle < 3:
                before = await self._lengths()
                await self.turn()
                idle = idle + 1 if before == await self._lengths() else 0

    async def _lengths(self) -> Sequence[Any]:
        keys = self.log.keys
        topics = [
            keys.topic(self.partition, "tick"),
            keys.topic(self.partition, "candle_closed"),
        ]
        stages: tuple[tuple[StageName, str], ...] = (
            ("candles", "tick"),
            ("indicators", "candle_closed"),
        )
        read = [
            await self.log.redis.hget(keys.checkpoint(self.partition, name), f"n:{topic}")
            for name, topic in stages
        ]
        return [*[await self.log.redis.xlen(topic) for topic in topics], *read]


@asynccontextmanager
async def asking(log: RedisLog, folder: Path, **section: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The routes over this log, with tables below a folder."""
    settings = IndicatorsSettings(
        redis_url=SecretStr("redis://127.0.0.1"),
        namespace=log.keys.namespace,
        partitions=log.partitions,
        data_dir=folder,
        indicators=IndicatorsSection(**section),
    )
    web = build_web(settings, log, SystemClock())
    transport = httpx.ASGITransport(public_app([web]))
    async with (
        web.open(),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client
