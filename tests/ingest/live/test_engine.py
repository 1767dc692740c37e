"""The live feed over stubs of both providers, at a hurried clock: watching, failing, going on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest
from pydantic import SecretStr

from services.ingest.adapters.budgets import Budget, SharedBudget
from services.ingest.adapters.feeds.live.accounts import Accounts
from services.ingest.adapters.feeds.live.engine import LiveEngine
from services.ingest.adapters.feeds.pace import Pace, PacedClock
from services.ingest.adapters.feeds.twelvedata.feed import TwelveData
from services.ingest.adapters.feeds.yfinance.feed import Yfinance
from services.ingest.domain.asking import Ask, Reply
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.spine import SpineWriter
from services.ingest.settings import SourcesSection, TwelveDataSection, YfinanceSection
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.clock import Clock, SystemClock
from shared.events import CandleIn, DeadLetter, Event
from shared.events.ops import OpsKind
from shared.telemetry.metrics import METRICS
from tests.ingest.lines import TABLE, at, clock
from tests.ingest.live.stubs import Market, Outage, Stub, served, twelve_data, yahoo

PATIENCE_S = 100.0
SPEED = 300.0


class Wishes:
    """What is watched, changed by the test."""

    def __init__(self, *symbols: str) -> None:
        self.symbols: tuple[str, ...] = symbols
        self._changed = asyncio.Event()

    def set(self, *symbols: str) -> None:
        self.symbols = symbols
        self._changed.set()

    async def other_than(self, known: Sequence[str]) -> tuple[str, ...]:
        while set(known) == set(self.symbols):
            await self._changed.wait()
            self._changed.clear()
        return self.symbols


class Told:
    """Announcements, as an operator would read them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def __call__(self, kind: OpsKind, detail: str, symbol: str = "*") -> None:
        self.lines.append(detail)


class House:
    """An engine with its clock, its accounts and what it has handed over."""

    def __init__(self, wishes: Wishes, begin: str = "14:00", speed: float = SPEED) -> None:
        wall = SystemClock()
        self.told = Told()
        self.accounts = Accounts(self.told)
        self.clock = PacedClock(Pace(at(begin), wall.now(), speed), wall)
        chain = SourcesSection().of
        self.engine = LiveEngine(TABLE, wishes, chain, self.accounts, self.clock)
        self.engine.pace = speed
        self.writer = SpineWriter(TABLE, {})
        self.events: list[Event] = []

    async def play(self) -> None:
        """Write everything into a spine, from its cursors on."""
        serving = self.engine.serve(lambda _: True, self.writer.cursors())
        async with aclosing(serving) as items:  # type: ignore[type-var]
            async for batch in items:
                self.events += self.writer.process(batch)

    def minutes(self, symbol: str) -> list[int]:
        """Live and filled minutes of a symbol, in the order of the spine."""
        return [
            event.open_at
            for event in self.events
            if isinstance(event, CandleIn) and event.symbol == symbol and event.origin != "seed"
        ]

    async def until(self, symbol: str, minutes: int) -> None:
        """Wait until a symbol has so many minutes."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.minutes(symbol)) < minutes:  # noqa: ASYNC110 - the spine tells nobody
                await asyncio.sleep(0.01)


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """The engine asks and the spine is written, until the block ends."""
    tasks = [asyncio.create_task(house.engine.run()), asyncio.create_task(house.play())]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.fixture
async def yahoo_stub() -> AsyncIterator[Stub]:
    async with served(Stub(Market()), yahoo) as stub:
        yield stub


@pytest.fixture
async def twelve_stub() -> AsyncIterator[Stub]:
    async with served(Stub(Market()), twelve_data) as stub:
        yield stub


def ask_yahoo(house: House, stub: Stub, timeout_s: float = 60.0) -> None:
    house.engine.add(Yfinance(YfinanceSection(base_url=stub.url, timeout_s=timeout_s)))


class Noted(TwelveData):
    """Remembers whom it was asked for, in the order in which they were served."""

    def __init__(self, section: TwelveDataSection, budget: Budget, clock: Clock) -> None:
        super().__init__(section, budget, clock)
        self.served: list[str] = []

    async def candles(self, asks: Sequence[Ask]) -> Mapping[str, Reply]:
        self.served += [ask.symbol for ask in asks]
        return await super().candles(asks)


def ask_twelve(house: House, stub: Stub, log: RedisLog, keys: Keys, credits_minute: int) -> Noted:
    section = TwelveDataSection(
        base_url=stub.url, key=SecretStr("of-nobody"), timeout_s=60.0, credits_minute=credits_minute
    )
    budget = SharedBudget(log.redis, keys, "twelvedata", credits_minute, None)
    provider = Noted(section, budget, house.clock)
    house.engine.add(provider)
    return provider


async def test_what_is_watched_is_seeded_and_followed(yahoo_stub: Stub) -> None:
    """A symbol added while it runs is seeded first; one that is dropped is asked for no more."""
    wishes = Wishes("EURUSD")
    house = House(wishes)
    ask_yahoo(house, yahoo_stub)
    async with working(house):
        await house.until("EURUSD", 3)
        wishes.set("NDX")
        await house.until("NDX", 2)
        asked = len([name for name in yahoo_stub.asked if name == "EURUSD=X"])
        await house.until("NDX", 5)
    assert len([name for name in yahoo_stub.asked if name == "EURUSD=X"]) <= asked + 1
    ndx = [e for e in house.events if isinstance(e, CandleIn) and e.symbol == "NDX"]
    origins = [event.origin for event in ndx]
    assert origins.count("seed") > 100
    assert "seed" not in origins[origins.index("seed") + origins.count("seed") :]
    assert [event for event in house.events if isinstance(event, DeadLetter)] == []


async def test_a_restart_loses_and_repeats_nothing(yahoo_stub: Stub) -> None:
    """The second life begins where the first one's spine ends, and fills what it missed."""
    first = House(Wishes("NDX"))
    ask_yahoo(first, yahoo_stub)
    async with working(first):
        await first.until("NDX", 4)
    # Later than the first life ended, however long that took.
    second = House(Wishes("NDX"), begin=clock(first.clock.now() + 30 * 60_000_000))
    second.writer = first.writer
    ask_yahoo(second, yahoo_stub)
    async with working(second):
        await second.until("NDX", 30)
    minutes = first.minutes("NDX") + second.minutes("NDX")
    assert minutes == list(range(minutes[0], minutes[-1] + 1, 60_000_000))
    letters = [e for e in first.events + second.events if isinstance(e, DeadLetter)]
    assert letters == []


async def test_a_symbol_that_nobody_has_disturbs_no_other(yahoo_stub: Stub) -> None:
    """Refused by its only provider, or known to none: counted and told, and the others go on."""
    odd = TABLE.get("NDX").model_copy(update={"symbol": "ODD", "names": {"yfinance": "^ODD"}})
    lone = TABLE.get("NDX").model_copy(update={"symbol": "LONE", "names": {}})
    house = House(Wishes("ODD", "LONE", "NOBODY", "NDX"))
    house.engine._table = InstrumentTable([*TABLE.instruments, odd, lone])
    ask_yahoo(house, yahoo_stub)
    async with working(house):
        await house.until("NDX", 4)
    assert house.accounts.calls("yfinance", "refused") >= 1
    assert any(line.startswith("nobody gives prices of LONE") for line in house.told.lines)
    assert any("unknown symbol 'NOBODY'" in line for line in house.told.lines)


class Faulty:
    """A provider whose own code is broken."""

    name = "twelvedata"
    interval_s = 60.0
    batch = parallel = 1
    reach = Yfinance.reach

    async def room(self, calls: int, now: int) -> tuple[int, float]:
        return calls, 0.0

    async def candles(self, asks: Sequence[Ask]) -> Mapping[str, Reply]:
        raise KeyError("a mistake of ours")

    async def close(self) -> None:
        return


async def test_a_mistake_of_ours_stops_one_provider_only(yahoo_stub: Stub) -> None:
    """Its loop is started again and again, counted each time; the other provider never notices."""
    house = House(Wishes("EURUSD", "NDX"))
    house.engine.add(Faulty())
    ask_yahoo(house, yahoo_stub)
    async with working(house):
        await house.until("NDX", 4)
    assert house.accounts.calls("twelvedata", "crash") >= 1
    assert house.accounts.calls("yfinance", "ok") >= 4


async def test_scarce_credits_are_shared_fairly(
    twelve_stub: Stub, redis_log: RedisLog, keys: Keys
) -> None:
    """Nine requests for three symbols, two credits a minute: nobody is served twice before all."""
    wishes = Wishes("EURUSD", "EURGBP", "GBPUSD")
    house = House(wishes)
    provider = ask_twelve(house, twelve_stub, redis_log, keys, credits_minute=2)
    async with working(house):
        for symbol in wishes.symbols:
            await house.until(symbol, 3)
    turns = provider.served
    for n in range(len(turns)):
        counts = [turns[: n + 1].count(symbol) for symbol in wishes.symbols]
        assert max(counts) - min(counts) <= 1, turns
    for symbol in wishes.symbols:
        minutes = house.minutes(symbol)
        assert minutes == list(range(minutes[0], minutes[-1] + 1, 60_000_000))


@pytest.mark.parametrize("how", [503, 429, "html", "drop", "hang"])
async def test_an_outage_is_told_and_filled(yahoo_stub: Stub, how: int | str) -> None:
    """Whatever way Yahoo fails: a counted state, and every minute afterwards."""
    house = House(Wishes("NDX"))
    yahoo_stub.outages.append(Outage(at("14:03"), 5, how))
    # Five calls are waited for in vain, and an answer that comes too late is one more.
    ask_yahoo(house, yahoo_stub, timeout_s=3.0 if how == "hang" else 60.0)
    async with working(house):
        await house.until("NDX", 12)
    kinds = {503: "http", 429: "limit", "html": "body", "drop": "connection", "hang": "timeout"}
    assert house.accounts.calls("yfinance", kinds[how]) >= 3
    assert [line for line in house.told.lines if "is lost" in line] != []
    assert "yfinance answers again" in house.told.lines
    minutes = house.minutes("NDX")
    assert minutes == list(range(minutes[0], minutes[-1] + 1, 60_000_000))
    measured = {name: list(rows) for name, rows in house.accounts.metrics()}
    assert set(measured) <= set(METRICS)
    assert measured["tideline_provider_state"] == [(("yfinance",), 0.0)]
