"""Two feeds as one: prices as they are made where they come, candles that are asked for else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from services.ingest.adapters.feeds.base import Feed
from services.ingest.domain.items import (
    Cursors,
    FeedCandle,
    FeedReached,
    FeedRejected,
    FeedSource,
    FeedTaken,
    FeedTick,
    FeedTime,
    Item,
)
from services.ingest.domain.overlay import Overlay
from shared.bus.tasks import end
from shared.events.base import MICROS_PER_SECOND

# Three polls of a provider that is asked once a minute would be too long to be without prices.
ALIVE_US = 90 * MICROS_PER_SECOND
_LOOK_S = 0.5
_AHEAD = 64

Batch = Sequence[Item] | None
"""Items; None says that no price will come for now."""


class Ticks(Protocol):
    """What tells prices by itself, for one partition at a time."""

    def ticks(self, cursors: Cursors) -> AsyncIterator[Batch]:
        """Prices, and what belongs to them; never ends."""
        ...


class Overlaid:
    """A partition's feed: ``base`` asks for candles, ``over`` tells prices of symbols that it may.

    ``now`` is the market's time, µs. The place of a topic that prices were taken from is handed on
    once none of them waits.
    """

    def __init__(
        self, base: Feed, over: Ticks, now: Callable[[], int], prefers: Callable[[str], bool]
    ) -> None:
        self.name = base.name
        self._base = base
        self._over = over
        self._now = now
        self._prefers = prefers

    async def identity(self) -> str:
        return await self._base.identity()

    async def symbols(self) -> Sequence[str]:
        return await self._base.symbols()

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        queue: asyncio.Queue[tuple[bool, Batch]] = asyncio.Queue(_AHEAD)
        seam = Seam(self._prefers)
        tasks = [
            asyncio.create_task(_pump(self._base.stream(symbols, cursors), queue, False)),
            asyncio.create_task(_pump(self._over.ticks(cursors), queue, True)),
        ]
        try:
            while True:
                items: list[Item] = []
                # At every turn: prices that come without a pause hide no fault of the other.
                for task in tasks:
                    if task.done():
                        task.result()
                try:
                    async with asyncio.timeout(_LOOK_S):
                        is_over, batch = await queue.get()
                except TimeoutError:
                    pass
                else:
                    items += seam.take(is_over, batch, self._now())
                items += seam.look(self._now())
                if items:
                    yield items
        finally:
            await end(tasks)


class Seam:
    """Who counts for which symbol of a partition."""

    def __init__(self, prefers: Callable[[str], bool]) -> None:
        self._prefers = prefers
        self._overlays: dict[str, Overlay] = {}
        self._taken: FeedTaken | None = None

    def take(self, is_over: bool, batch: Batch, now: int) -> list[Item]:
        """What follows from a batch of one of the two."""
        if batch is None:
            return [item for one in self._overlays.values() for item in one.lost()]
        found: list[Item] = []
        for item in batch:
            found += self._told(item, now) if is_over else self._given(item)
        return found

    def look(self, now: int) -> list[Item]:
        """What follows from the time."""
        found = [item for one in self._overlays.values() for item in one.look(now)]
        taken = self._taken
        if taken is None or any(one.waiting for one in self._overlays.values()):
            return found
        self._taken = None
        return [*found, taken]

    def _told(self, item: Item, now: int) -> list[Item]:
        if isinstance(item, FeedTick):
            if not self._prefers(item.symbol):
                told = f"{item.symbol}: the settings have its prices from others first"
                raw = tuple(str(part) for pair in item._asdict().items() for part in pair)
                return [FeedRejected(item.symbol, item.at, told, raw)]
            overlay = self._overlays.get(item.symbol)
            if overlay is None:
                overlay = self._overlays[item.symbol] = Overlay(item.symbol, ALIVE_US)
            return overlay.tick(item, now)
        if isinstance(item, FeedTaken):
            before = 0 if self._taken is None else self._taken.entries
            self._taken = item._replace(entries=before + item.entries)
            return []
        # Time that prices alone have reached closes no window of candles.
        return [] if isinstance(item, FeedTime) else [item]

    def _given(self, item: Item) -> list[Item]:
        overlay = self._overlays.get(getattr(item, "symbol", ""))
        if overlay is None:
            return [item]
        if isinstance(item, FeedCandle):
            return overlay.candle(item)
        if isinstance(item, FeedReached):
            return overlay.reached(item)
        return overlay.sourced(item) if isinstance(item, FeedSource) else [item]


async def _pump(
    batches: AsyncIterator[Batch] | AsyncIterator[Sequence[Item]],
    queue: asyncio.Queue[tuple[bool, Batch]],
    is_over: bool,
) -> None:
    async for batch in batches:
        await queue.put((is_over, batch))
