"""The feed of what was pushed: reads its partition's stream on from the committed offset."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import (
    HERE,
    START,
    Cursors,
    FeedRejected,
    FeedTaken,
    FeedTick,
    FeedTime,
    Item,
)
from services.ingest.domain.pushed import Pushed
from shared.bus.log import START as BEGINNING
from shared.bus.log import At, Log
from shared.clock import Clock
from shared.events.codec import decode
from shared.events.spine import PARTITION_SYMBOL

PUSHED: Final = "pushed"
# The cursor that is no symbol's: how far the stream of pushed prices has been taken.
PLACE = f"@{PUSHED}"
_READ = 500
_STEP_S = 0.05
# The time alone is told this often.
_TIME_US = 500_000


class PushFeed:
    """Prices that other programs gave, of ``chosen`` symbols or of all.

    The place in the stream is committed with what was written of it, so that a kill at any moment
    loses and doubles nothing.
    """

    name = "push"

    def __init__(
        self, log: Log, table: InstrumentTable, clock: Clock, chosen: Collection[str] = ()
    ) -> None:
        self._chosen = chosen
        self._log = log
        self._table = table
        self._clock = clock

    async def identity(self) -> str:
        return self.name

    async def symbols(self) -> Sequence[str]:
        return self._table.symbols

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        place = cursors.get(PLACE, START)
        offset = BEGINNING if place == START else f"{place.at}-{place.n}"
        told = 0
        while True:
            # Before the read: what is pushed later may be of this very moment.
            now = self._clock.now()
            offset, items = await self._taken(cursors[HERE].at, offset)
            if len(items) > _READ:
                # More waits: to tell the time before it would make it late.
                yield items
                await asyncio.sleep(0)
                continue
            if items or now - told >= _TIME_US:
                yield [*items, FeedTime(now)]
                told = now
            await asyncio.sleep(_STEP_S)

    def ticks(self, cursors: Cursors) -> AsyncIterator[Sequence[Item]]:
        """The same, to be laid over another feed."""
        return self.stream((), cursors)

    async def _taken(self, partition: int, offset: str) -> tuple[str, list[Item]]:
        """The next entries as items, and the place after them."""
        at: At = (partition, PUSHED)
        entries = (await self._log.read({at: offset}, count=_READ, block_ms=0)).get(at, [])
        if not entries:
            return offset, []
        now = self._clock.now()
        items: list[Item] = []
        for entry_id, event in decode(entries):
            if isinstance(event, Pushed):
                items.append(self._item(event))
            else:
                raw = event.wire() if not hasattr(event, "fields") else event.fields
                reason = f"{PUSHED} {entry_id} is no pushed price"
                items.append(FeedRejected(PARTITION_SYMBOL, now, reason, tuple(map(str, raw))))
        last = entries[-1][0]
        return last, [*items, FeedTaken(PARTITION_SYMBOL, now, PUSHED, last, len(entries))]

    def _item(self, event: Pushed) -> Item:
        """Whatever is pushed is taken, contracts of all months included, unless some are chosen."""
        if not self._chosen or event.symbol in self._chosen:
            return FeedTick(event.symbol, event.at, event.price, event.size, event.source)
        told = f"{event.symbol} is not among the symbols of the settings"
        return FeedRejected(event.symbol, event.at, told, tuple(map(str, event.wire())))
