"""One stream of a provider for all partitions of a process, begun again whenever it ends."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import NoReturn, cast

import structlog

from services.ingest.adapters.feeds.live.provider import Streamer
from services.ingest.adapters.feeds.ticks.overlaid import Batch
from services.ingest.domain.asking import ProviderFault
from services.ingest.domain.items import HERE, Cursors, FeedTick, Item
from shared.bus.partitions import partition_of
from shared.bus.tasks import end

log = structlog.get_logger(__name__)

_AGAIN_S, _AGAIN_MAX_S = 1.0, 60.0
# What is watched may change: looked at between batches, which come once a second at least.
_QUEUE = 256

Wanted = Callable[[], Mapping[str, str]]
"""The symbols to follow now: ours by the provider's names."""
Tell = Callable[[str], Awaitable[None]]
"""Tells operators of the connection."""


class Streams:
    """Hands a provider's prices to the partitions that they belong to."""

    def __init__(self, streamer: Streamer, wanted: Wanted, partitions: int, tell: Tell) -> None:
        self._streamer = streamer
        self._wanted = wanted
        self._partitions = partitions
        self._tell = tell
        self._desks: dict[int, asyncio.Queue[Batch]] = {}
        self._running: asyncio.Task[NoReturn] | None = None
        self._again_s = _AGAIN_S
        self._is_lost = False

    async def ticks(self, cursors: Cursors) -> AsyncIterator[Batch]:
        """Prices of one partition. The first partition begins the stream, the last ends it."""
        partition = cursors[HERE].at
        queue: asyncio.Queue[Batch] = asyncio.Queue(_QUEUE)
        self._desks[partition] = queue
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        running = self._running
        try:
            while True:
                getting = asyncio.create_task(queue.get())
                try:
                    await asyncio.wait({getting, running}, return_when=asyncio.FIRST_COMPLETED)
                    if running.done():
                        running.result()
                    yield getting.result()
                finally:
                    await end([getting])
        finally:
            if self._desks.get(partition) is queue:
                del self._desks[partition]
            if not self._desks and self._running is running:
                self._running = None
                await end([running])

    async def _run(self) -> NoReturn:
        """Follow, and begin again after every fault: a provider's, or a mistake of our own."""
        while True:
            names = self._mine()
            if not names:
                await asyncio.sleep(_AGAIN_S)
                continue
            following = asyncio.create_task(self._follow(names))
            try:
                await asyncio.wait([following])
            finally:
                await end([following])
            fault = following.exception()
            if fault is None:
                continue  # something else is watched now
            await self._broke_off(fault)
            await asyncio.sleep(self._again_s)
            self._again_s = min(2 * self._again_s, _AGAIN_MAX_S)

    async def _broke_off(self, fault: BaseException) -> None:
        name = self._streamer.name
        if isinstance(fault, ProviderFault):
            log.warning("stream_lost", provider=name, reason=str(fault))
        else:
            log.error("stream_crashed", provider=name, exc_info=fault)
        if not self._is_lost:
            await self._tell(f"{name} tells no prices: {fault}")
        self._is_lost = True
        for queue in list(self._desks.values()):
            await queue.put(None)

    async def _follow(self, names: dict[str, str]) -> None:
        """Hand prices over while these are the symbols that are wanted."""
        prices = cast(AsyncGenerator[Sequence[FeedTick]], self._streamer.prices(names))
        try:
            async for batch in prices:
                self._again_s = _AGAIN_S
                if self._is_lost:
                    self._is_lost = False
                    await self._tell(f"{self._streamer.name} tells prices again")
                await self._hand_over(batch)
                mine = self._mine()
                if mine != names:
                    if not (self._streamer.follows_changes and mine):
                        return
                    names.clear()
                    names.update(mine)
        finally:
            await prices.aclose()

    async def _hand_over(self, batch: Sequence[FeedTick]) -> None:
        parts: dict[int, list[Item]] = {}
        for tick in batch:
            parts.setdefault(partition_of(tick.symbol, self._partitions), []).append(tick)
        for partition, items in parts.items():
            queue = self._desks.get(partition)
            if queue is not None:
                await queue.put(items)

    def _mine(self) -> dict[str, str]:
        return {
            name: symbol
            for name, symbol in self._wanted().items()
            if partition_of(symbol, self._partitions) in self._desks
        }
