"""No prices, only the time: what runs until a feed is chosen."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from services.ingest.domain.items import Cursors, FeedTime, Item
from shared.clock import Clock

# Windows close within this of their end and grace.
_STEP_S = 0.5


class IdleFeed:
    """The wall clock as the market's time, without a single price."""

    name = "none"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def identity(self) -> str:
        return self.name

    async def symbols(self) -> Sequence[str]:
        return ()

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        while True:
            yield [FeedTime(self._clock.now())]
            await asyncio.sleep(_STEP_S)
