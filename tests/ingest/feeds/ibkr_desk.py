"""A provider of IBKR's prices at a desk of its own, for the tests of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from services.ingest.adapters.feeds.ibkr.feed import Ibkr
from services.ingest.adapters.feeds.ibkr.ids import ClientIds
from services.ingest.domain.asking import ProviderFault
from services.ingest.domain.items import FeedTick
from services.ingest.sections import IbkrSection
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.tasks import end
from tests.ingest.feeds.fake_tws import FakeTws
from tests.ingest.lines import at

MES, VIX, EUR = "CONTFUT:MES:CME:USD", "IND:VIX:CBOE:USD", "CASH:EUR:IDEALPRO:USD"
NAMES = {MES: "MES", VIX: "VIX", EUR: "EURUSD"}
NOW = at("14:00:05.5")
SECOND = 1_000_000
S = NOW // SECOND


class Wall:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> int:
        return self.at

    def elapsed(self) -> float:
        return self.at / SECOND


class Desk:
    """A provider, its TWS, and what it has said so far."""

    def __init__(self, tws: FakeTws, log: RedisLog, keys: Keys) -> None:
        self.tws = tws
        self.log = log
        self.keys = keys
        self.wall = Wall()
        self.closed: set[str] = set()
        self.ticks: list[FeedTick] = []
        self.begun = asyncio.Event()

    def provider(self, **section: Any) -> Ibkr:
        given = {"port": self.tws.port, "timeout_s": 60, "client_ids": (7, 9), **section}
        settings = IbkrSection.model_validate(given)
        ids = ClientIds(self.log.redis, self.keys, *settings.client_ids)
        return Ibkr(settings, ids, self.wall, lambda symbol, _: symbol not in self.closed)

    @asynccontextmanager
    async def following(
        self, names: Mapping[str, str] = NAMES, **section: Any
    ) -> AsyncIterator[tuple[Ibkr, asyncio.Task[None]]]:
        """Follow prices until the end of the block."""
        provider = self.provider(**section)
        task = asyncio.create_task(self._follow(provider, names))
        try:
            yield provider, task
        finally:
            await end([task])
            await provider.close()

    async def _follow(self, provider: Ibkr, names: Mapping[str, str]) -> None:
        async for batch in provider.prices(names):
            self.begun.set()
            self.ticks += batch

    async def request(self, kind: int, symbol: str, number: int = 1) -> str:
        """The number of the so-manieth request about a symbol, once it has come."""
        await until(lambda: len(self.tws.requests(kind, symbol)) >= number)
        return self.tws.requests(kind, symbol)[number - 1]

    async def heard(self, count: int) -> list[tuple[str, int, float, float]]:
        """The ticks, once there are so many."""
        await until(lambda: len(self.ticks) >= count)
        return [(one.symbol, one.at, one.price, one.size) for one in self.ticks]


async def until(done: Callable[[], bool]) -> None:
    """Wait for a condition, with patience."""
    for _ in range(6_000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


async def fault(task: asyncio.Task[None]) -> ProviderFault:
    """What a following ended with."""
    await asyncio.wait([task], timeout=90)
    error = task.exception()
    assert isinstance(error, ProviderFault)
    return error
