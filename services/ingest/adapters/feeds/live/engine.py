"""The live feed: providers asked side by side, each symbol from one of them at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NoReturn, Protocol

import structlog

from services.ingest.adapters.feeds.live.accounts import Accounts
from services.ingest.adapters.feeds.live.desk import Desk
from services.ingest.adapters.feeds.live.poller import Poller
from services.ingest.adapters.feeds.live.provider import Provider
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import Cursors, FeedReached, Item
from services.ingest.domain.sessions import minute
from shared.bus.partitions import partition_of
from shared.bus.tasks import end
from shared.clock import Clock
from shared.events.spine import PARTITION_SYMBOL
from shared.market.instruments import Kind

log = structlog.get_logger(__name__)

NAME = "live"
# Windows close within this of the news that they may; a quiet partition is told the time.
_BEAT_S = 0.5
_AGAIN_S = 1.0

Chain = Callable[[Kind], Sequence[str]]
"""The providers of a kind of instrument, in the order of choice."""


class Watched(Protocol):
    """The watched symbols, the same on every replica but for a moment."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is watched now, most watched first."""
        ...

    async def other_than(self, known: Sequence[str]) -> tuple[str, ...]:
        """What is watched, as soon as it is anything else than what is known, order aside."""
        ...


class LiveEngine:
    """All providers of a process, and the desks of the partitions that it owns.

    ``pace`` is how many seconds of the clock go by in one of the event loop; 1 but in tests.
    ``laid_over`` says of which symbols prices are told besides; of none unless it is set.
    """

    def __init__(
        self,
        table: InstrumentTable,
        watched: Watched,
        chain: Chain,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self.pace = 1.0
        self.laid_over: Callable[[str], bool] = lambda _: False
        self._table = table
        self._watched = watched
        self._chain = chain
        self.accounts = accounts
        self._clock = clock
        self._pollers: list[Poller] = []
        self._desks: list[Desk] = []

    def add(self, provider: Provider) -> None:
        """Ask this provider too, where the chains name it."""
        self._pollers.append(
            Poller(provider, lambda: self._desks, self.lost, self.accounts, self._clock)
        )

    def lost(self) -> frozenset[str]:
        """The providers that are away."""
        return frozenset(poller.name for poller in self._pollers if poller.is_lost)

    name = NAME

    async def identity(self) -> str:
        return NAME

    async def symbols(self) -> Sequence[str]:
        return self._watched.symbols

    def stream(self, symbols: Sequence[str], cursors: Cursors) -> AsyncIterator[Sequence[Item]]:
        return self.serve(lambda symbol: symbol in symbols, cursors)

    def part(self, partition: int, partitions: int) -> "LivePart":
        """The feed of one partition, whatever is watched there while it runs."""
        return LivePart(self, partition, partitions)

    async def serve(
        self, owns: Callable[[str], bool], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        """The items of the watched symbols that ``owns`` tells, and the time."""
        desk = Desk(owns, self._table, self.names, cursors, self.laid_over)
        self._desks.append(desk)
        told = 0
        try:
            await self._sync(desk)
            while True:
                items = await desk.take(_BEAT_S / self.pace)
                now = self._clock.now()
                if items or minute(now) > told:
                    told = minute(now)
                    yield [*items, FeedReached(PARTITION_SYMBOL, now)]
        finally:
            self._desks.remove(desk)

    async def run(self) -> None:
        """Follow what is watched and ask the providers, until cancelled."""
        tasks = [asyncio.create_task(self._follow(), name="watched")]
        for poller in self._pollers:
            poller.pace = self.pace
            tasks.append(asyncio.create_task(self._keep(poller), name=poller.name))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end(tasks)
            for poller in self._pollers:
                await poller.provider.close()

    def names(self, symbol: str) -> Mapping[str, str]:
        """A symbol's names at the providers that are here and chosen for its kind."""
        instrument = self._table.find(symbol)
        if instrument is None:
            return {}
        here = {poller.name for poller in self._pollers}
        return {
            provider: instrument.names[provider]
            for provider in self._chain(instrument.kind)
            if provider in here and instrument.names.get(provider)
        }

    def now(self) -> int:
        """The market's time, µs."""
        return self._clock.now()

    async def _follow(self) -> NoReturn:
        known: Sequence[str] = self._watched.symbols
        while True:
            known = await self._watched.other_than(known)
            for desk in list(self._desks):
                await self._sync(desk)

    async def _sync(self, desk: Desk) -> None:
        unserved = desk.watch(self._watched.symbols, self._clock.now())
        for poller in self._pollers:
            poller.wake.set()
        for symbol in unserved:
            await self.accounts.unserved(symbol, self._why(symbol))

    def _why(self, symbol: str) -> str:
        instrument = self._table.find(symbol)
        if instrument is None:
            return self._table.complaint(symbol)
        chosen = ", ".join(self._chain(instrument.kind)) or "nobody"
        return f"{instrument.kind} is asked of {chosen}, and none of them is set up and has it"

    async def _keep(self, poller: Poller) -> NoReturn:
        """Run a provider's loop again whenever a mistake of ours ends it: others go on."""
        while True:
            task = asyncio.create_task(poller.run())
            try:
                await asyncio.wait([task])
            finally:
                await end([task])
            error = task.exception()
            told = f"{type(error).__name__}: {error}"
            log.error("provider_loop_crashed", provider=poller.name, exc_info=error)
            await self.accounts.failed(poller.name, "crash", told, is_lost=False)
            await asyncio.sleep(_AGAIN_S)


class LivePart:
    """The live feed as one partition's writer sees it; cursors outlive every change of source."""

    name = NAME

    def __init__(self, engine: LiveEngine, partition: int, partitions: int) -> None:
        self._engine = engine
        self._partition = partition
        self._partitions = partitions

    async def identity(self) -> str:
        return NAME

    async def symbols(self) -> Sequence[str]:
        return await self._engine.symbols()

    def stream(self, symbols: Sequence[str], cursors: Cursors) -> AsyncIterator[Sequence[Item]]:
        """What is watched changes while it runs, so the symbols asked for do not count."""
        return self._engine.serve(self._owns, cursors)

    def _owns(self, symbol: str) -> bool:
        return partition_of(symbol, self._partitions) == self._partition
