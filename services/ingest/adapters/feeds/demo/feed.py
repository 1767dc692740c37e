"""The simulated market as a feed: seeds first, then a clock that runs faster than life."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from services.ingest.adapters.feeds.demo.market import DemoMarket
from services.ingest.adapters.feeds.demo.profiles import PROFILES
from services.ingest.adapters.feeds.demo.seeds import SOURCE, seeds
from services.ingest.adapters.feeds.pace import Pace
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import Cursors, FeedTick, FeedTime, Item, Resume
from services.ingest.domain.sessions import minute
from shared.clock import Clock
from shared.events.base import micros

# A Wednesday afternoon: FX, metals, Xetra, Chicago and New York are all open, and the half hour
# after New York's opening is the liveliest of the day.
START = micros(datetime(2026, 6, 10, 14, 0, tzinfo=UTC))
DEFAULT_SPEED = 60.0
# The wall's time before the first live price: enough for the stages to take the seeds in, so that
# they decide on it at once and not seconds later.
LEAD_IN_US = 1_500_000
# Smooth to the eye, and ten batches a second cost next to nothing.
_STEP_S = 0.05
_SEEDS_A_BATCH = 250
# After a restart the past is caught up in slices, so that batches stay bounded.
_SLICE_US = 10 * 60 * 1_000_000


class DemoFeed:
    """Prices of a simulated market. The same seed gives the same prices, whenever it is asked."""

    name = SOURCE

    def __init__(self, table: InstrumentTable, clock: Clock, pace: Pace, seed: int) -> None:
        self._market = DemoMarket(seed, START, {one.symbol: one for one in table.instruments})
        self._clock = clock
        self._pace = pace
        self._seed = seed

    def now(self) -> int:
        """The simulated market's time, µs."""
        return self._pace.market_at(self._clock.now())

    async def identity(self) -> str:
        return market_name(self._seed)

    async def symbols(self) -> Sequence[str]:
        return list(PROFILES)

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        resume = Resume(cursors)
        mine = [symbol for symbol in symbols if symbol in PROFILES]
        for symbol in mine:
            for batch in _batches(self._seeds(symbol, resume)):
                yield batch
                await asyncio.sleep(0)
        reached = self._resume_at(mine, resume)
        while True:
            until = min(self.now(), reached + _SLICE_US)
            if until > reached:
                ticks = self._ticks(mine, resume, reached, until)
                # A quiet partition need hear of the time once a minute only.
                if ticks or minute(until) > minute(reached):
                    yield [*ticks, FeedTime(until)]
                reached = until
            await asyncio.sleep(_STEP_S if until >= self.now() - _SLICE_US else 0)

    def _seeds(self, symbol: str, resume: Resume) -> Iterator[Item]:
        since = resume.since(symbol)
        if since is None or since <= START:
            yield from (c for c in seeds(self._market, symbol) if resume.is_new(symbol, c.at))

    def _resume_at(self, symbols: Sequence[str], resume: Resume) -> int:
        """The earliest time from which some symbol still needs its ticks."""
        known = [since for symbol in symbols if (since := resume.since(symbol)) is not None]
        return max(START, min(known, default=START))

    def _ticks(
        self, symbols: Sequence[str], resume: Resume, since: int, until: int
    ) -> list[FeedTick]:
        """The ticks in ``[since, until)`` of all symbols, by time."""
        found = [
            tick
            for symbol in symbols
            for tick in self._symbol_ticks(symbol, since, until)
            if resume.is_new(symbol, tick.at)
        ]
        found.sort(key=lambda tick: tick.at)
        return found

    def _symbol_ticks(self, symbol: str, since: int, until: int) -> Iterator[FeedTick]:
        for span in self._market.sessions(symbol, since, until):
            at, price, size = self._market.ticks(symbol, span)
            first, last = np.searchsorted(at, (since, until))
            for i in range(first, last):
                yield FeedTick(symbol, int(at[i]), float(price[i]), float(size[i]), SOURCE)


def market_name(seed: int) -> str:
    """Tells the simulated markets apart."""
    return f"{SOURCE}:{seed}"


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == _SEEDS_A_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
