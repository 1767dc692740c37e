"""Prices laid over candles: who counts, what is committed when, and streams that break."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from services.ingest.adapters.feeds.ticks.overlaid import Batch, Overlaid, Seam
from services.ingest.adapters.feeds.ticks.streams import Streams
from services.ingest.domain.asking import ProviderFault
from services.ingest.domain.items import (
    HERE,
    Cursor,
    Cursors,
    FeedGap,
    FeedReached,
    FeedRejected,
    FeedSource,
    FeedTaken,
    FeedTick,
    FeedTime,
    Item,
)
from shared.bus.partitions import partition_of
from shared.bus.tasks import end
from tests.ingest.lines import at, candle, tick

NOW = at("14:00:20")


def taken(entry: str, entries: int) -> FeedTaken:
    return FeedTaken("*", NOW, "pushed", entry, entries)


def seam() -> Seam:
    return Seam(lambda symbol: symbol != "DAX")


def test_a_place_is_handed_on_once_no_price_of_it_waits() -> None:
    """A kill while prices wait for their candles must find them again."""
    one = seam()
    assert one.take(True, [tick("14:00:20", 1.1), tick("14:01", 1.2), taken("1-0", 2)], NOW) == []
    assert one.look(NOW) == []
    assert one.take(True, [tick("14:01:01", 1.3), taken("2-0", 1)], NOW) == []
    assert one.look(NOW) == []
    joined = one.take(False, [FeedReached("EURUSD", at("14:01"))], NOW)
    assert joined == [
        FeedReached("EURUSD", at("14:01")),
        FeedSource("EURUSD", at("14:01"), "test", 0.0),
        tick("14:01", 1.2),
        tick("14:01:01", 1.3),
    ]
    assert one.look(at("14:01:02")) == [
        FeedReached("EURUSD", at("14:01:02")),
        taken("2-0", 3),
    ]
    assert one.look(at("14:01:03")) == [FeedReached("EURUSD", at("14:01:03"))]


def test_what_concerns_no_price_passes() -> None:
    """Candles of a symbol without prices, gaps, rejections; the time of the prices alone does
    not, for it would close windows of candles."""
    one = seam()
    base: list[Item] = [candle("1m", "13:59", (1, 1, 1, 1)), FeedGap("GBPUSD", NOW, NOW, "lost")]
    assert one.take(False, base, NOW) == base
    stray = FeedRejected("*", NOW, "foreign", ("a", "b"))
    assert one.take(True, [FeedTime(NOW), stray], NOW) == [stray]


def test_a_symbol_whose_prices_come_from_others_is_refused() -> None:
    """Two sources of one symbol would be two truths."""
    (refused,) = seam().take(True, [tick("14:00:20", 24_000, "DAX")], NOW)
    assert isinstance(refused, FeedRejected)
    assert refused.reason == "DAX: the settings have its prices from others first"


def test_a_stream_that_is_lost_gives_way_to_candles() -> None:
    """At once, without waiting for silence."""
    one = seam()
    one.take(True, [tick("14:00:20", 1.1), tick("14:01", 1.2)], NOW)
    one.take(False, [FeedReached("EURUSD", at("14:01"))], NOW)
    late = candle("1m", "14:02", (1, 1, 1, 1))
    assert one.take(False, [late], NOW) == []
    assert late in one.take(True, None, NOW)
    further = candle("1m", "14:03", (1, 1, 1, 1))
    assert one.take(False, [further], NOW) == [further]


class Base:
    """A feed that says some items and then waits, or fails."""

    name = "base"

    def __init__(self, items: Sequence[Item], fault: Exception | None = None) -> None:
        self._items = items
        self._fault = fault

    async def identity(self) -> str:
        return self.name

    async def symbols(self) -> Sequence[str]:
        return ("EURUSD",)

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        yield self._items
        if self._fault is not None:
            raise self._fault
        await asyncio.Event().wait()


class Over:
    """Prices that come at once."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = batches

    async def ticks(self, cursors: Cursors) -> AsyncIterator[Batch]:
        for batch in self._batches:
            yield batch
        await asyncio.Event().wait()


async def test_both_are_one_feed() -> None:
    """Its name and symbols are the base's; what both say comes out of it."""
    beat = FeedGap("GBPUSD", NOW, NOW, "lost")
    feed = Overlaid(Base([beat]), Over([[taken("1-0", 1)]]), lambda: NOW, lambda _: True)
    assert (feed.name, await feed.identity(), await feed.symbols()) == (
        "base",
        "base",
        ("EURUSD",),
    )
    found: list[Item] = []
    stream = feed.stream(("EURUSD",), {})
    async for batch in stream:
        found += batch
        if len(found) == 2:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    assert set(found) == {beat, taken("1-0", 1)}


async def test_a_fault_of_either_is_raised() -> None:
    """Nothing stops silently."""
    feed = Overlaid(Base([], ValueError("broken")), Over([]), lambda: NOW, lambda _: True)
    with pytest.raises(ValueError, match="broken"):
        async for _ in feed.stream((), {}):
            pass


class Restless:
    """Prices that come without a pause."""

    async def ticks(self, cursors: Cursors) -> AsyncIterator[Batch]:
        while True:
            yield [taken("1-0", 1)]
            await asyncio.sleep(0.01)


async def test_a_fault_is_raised_while_the_other_speaks() -> None:
    """Without waiting for a moment of silence, which may never come."""
    feed = Overlaid(Base([], ValueError("broken")), Restless(), lambda: NOW, lambda _: True)
    async with asyncio.timeout(60):
        with pytest.raises(ValueError, match="broken"):
            async for _ in feed.stream((), {}):
                pass


class Streamer:
    """A provider that says what the test puts in; an error in the row ends a connection."""

    name = "toy"
    follows_changes = False

    def __init__(self) -> None:
        self.said: asyncio.Queue[Sequence[FeedTick] | Exception] = asyncio.Queue()
        self.asked: list[dict[str, str]] = []
        self.open = 0
        self.given: Mapping[str, str] = {}

    async def prices(self, names: Mapping[str, str]) -> AsyncIterator[Sequence[FeedTick]]:
        self.asked.append(dict(names))
        self.given = names
        self.open += 1
        try:
            yield []
            while True:
                said = await self.said.get()
                if isinstance(said, Exception):
                    raise said
                yield said
        finally:
            self.open -= 1


async def test_each_partition_hears_its_own_from_one_stream() -> None:
    """One connection for all; a fault is told and the stream begun anew, another watched symbol
    too; the last partition that leaves ends it."""
    partitions = 4
    names = {"E": "EURUSD", "G": "GBPUSD"}
    homes = {symbol: partition_of(symbol, partitions) for symbol in names.values()}
    assert len(set(homes.values())) == 2
    told: list[str] = []

    async def tell(detail: str) -> None:
        told.append(detail)

    streamer = Streamer()
    streams = Streams(streamer, lambda: names, partitions, tell)
    heard: dict[str, list[Batch]] = {symbol: [] for symbol in homes}

    async def listen(symbol: str) -> None:
        async for batch in streams.ticks({HERE: Cursor(homes[symbol], 0)}):
            heard[symbol].append(batch)

    tasks = [asyncio.create_task(listen(symbol)) for symbol in homes]
    euro, pound = tick("14:00:01", 1.1), tick("14:00:01", 1.3, "GBPUSD")
    try:
        await until(lambda: streamer.asked[-1:] == [names])
        await streamer.said.put([euro, pound])
        await until(lambda: heard == {"EURUSD": [[euro]], "GBPUSD": [[pound]]})
        await streamer.said.put(ProviderFault("connection", "gone"))
        await until(lambda: heard["EURUSD"][-1] is None and heard["GBPUSD"][-1] is None)
        await until(lambda: told == ["toy tells no prices: gone", "toy tells prices again"])
        await streamer.said.put(ZeroDivisionError("our own mistake"))
        await until(lambda: told[2:] == ["toy tells no prices: our own mistake", told[1]])
        names = {"E": "EURUSD"}
        await streamer.said.put([euro])
        await until(lambda: streamer.asked[-1] == names)
        assert streamer.open == 1
    finally:
        await end(tasks)
    assert streamer.open == 0


async def test_who_follows_changes_is_not_begun_anew() -> None:
    """It is told what is watched now; what others say meanwhile is not lost."""
    names = {"E": "EURUSD"}
    told: list[str] = []

    async def tell(detail: str) -> None:
        told.append(detail)

    streamer = Streamer()
    streamer.follows_changes = True
    streams = Streams(streamer, lambda: names, 1, tell)
    heard: asyncio.Queue[Batch] = asyncio.Queue()

    async def listen() -> None:
        async for batch in streams.ticks({HERE: Cursor(0, 0)}):
            heard.put_nowait(batch)

    listening = asyncio.create_task(listen())
    try:
        await until(lambda: streamer.given == names)
        names = {"E": "EURUSD", "G": "GBPUSD"}
        await streamer.said.put([tick("14:00:01", 1.1)])
        await until(lambda: streamer.given == names)
        await streamer.said.put([tick("14:00:02", 1.3, "GBPUSD")])
        await until(lambda: heard.qsize() == 2)
    finally:
        await end([listening])
    assert (len(streamer.asked), told) == (1, [])


async def until(done: object) -> None:
    """Wait for a condition, with patience."""
    assert callable(done)
    for _ in range(6_000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")
