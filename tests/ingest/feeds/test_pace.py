"""How a played market runs against the wall clock, and goes on after a restart."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import pytest

from services.ingest.adapters.feeds.demo.feed import START, DemoFeed
from services.ingest.adapters.feeds.file.feed import FileFeed, Playing
from services.ingest.adapters.feeds.pace import Pace, Paces
from services.ingest.domain.items import Cursor, FeedTick, FeedTime, Item
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.tasks import end
from tests.chaos.proxy import Ends, Proxy
from tests.ingest.lines import TABLE, at, clock

SECOND = 1_000_000


class HandClock:
    """A clock that the test moves."""

    def __init__(self, now: int) -> None:
        self.at = now

    def now(self) -> int:
        return self.at

    def elapsed(self) -> float:
        return self.at / SECOND


def test_the_market_runs_faster_than_the_wall() -> None:
    """At sixty times life a second of the wall is a minute of the market."""
    pace = Pace(market=at("14:00"), wall=1_000 * SECOND, speed=60.0)
    assert clock(pace.market_at(1_001 * SECOND)) == "14:01"
    assert pace.wait_s(at("14:02"), 1_001 * SECOND) == pytest.approx(1.0)
    assert pace.wait_s(at("14:00"), 1_001 * SECOND) < 0


@pytest.fixture
def wall() -> HandClock:
    """A wall clock in the test's hand."""
    return HandClock(1_000 * SECOND)


@pytest.fixture
def paces(redis_log: RedisLog, keys: Keys, wall: HandClock) -> Paces:
    """The memory of one namespace."""
    return Paces(redis_log.redis, keys, wall)


async def test_a_market_goes_on_from_where_it_began(paces: Paces, wall: HandClock) -> None:
    """Whoever asks, and whenever: the anchor is the first one's."""
    first = await paces.of("demo:1", at("14:00"), 60.0)
    wall.at += 90 * SECOND
    assert await paces.of("demo:1", at("14:00"), 60.0) == first
    assert clock(first.market_at(wall.now())) == "15:30"


async def test_a_server_that_is_away_is_waited_for(
    server_url: str, keys: Keys, wall: HandClock
) -> None:
    """A feed may be taken over in the very moment of a failover."""
    if not server_url.startswith("unix:"):
        pytest.skip("the proxy reaches a server on a Unix socket")
    doors = list[bool]()

    async def dial() -> Ends:
        doors.append(True)
        if len(doors) < 3:
            raise ConnectionRefusedError
        return await asyncio.open_unix_connection(unquote(urlsplit(server_url).path))

    with TemporaryDirectory(prefix="tideline-pace-") as name:
        door, proxy = Path(name) / "s", Proxy(dial)
        await proxy.listen(door)
        log = RedisLog(f"unix://{door}", keys)
        pace = await Paces(log.redis, keys, wall).of("demo:1", at("14:00"), 60.0)
        await log.close()
        await proxy.close()
    assert pace == Pace(at("14:00"), 1_000 * SECOND, 60.0)
    # A reply that takes its time is asked for through one more.
    assert len(doors) >= 3


async def test_another_speed_counts_from_now(paces: Paces, wall: HandClock) -> None:
    """The market does not jump when its speed is changed."""
    await paces.of("demo:1", at("14:00"), 60.0)
    wall.at += 60 * SECOND
    slower = await paces.of("demo:1", at("14:00"), 1.0)
    wall.at += 60 * SECOND
    assert clock(slower.market_at(wall.now())) == "15:01"
    assert await paces.of("demo:1", at("14:00"), 1.0) == slower


async def test_markets_have_their_own_paces(paces: Paces, wall: HandClock) -> None:
    """Another seed, or another recording, begins at its own beginning."""
    await paces.of("demo:1", at("14:00"), 60.0)
    wall.at += 60 * SECOND
    assert (await paces.of("demo:2", at("14:00"), 60.0)).market_at(wall.now()) == at("14:00")


class Listener:
    """Collects what a feed says."""

    def __init__(self, feed: FileFeed | DemoFeed, symbols: list[str]) -> None:
        self.items: list[Item] = []
        self._feed = feed
        self._symbols = symbols

    async def listen(self, cursors: dict[str, Cursor]) -> None:
        async for items in self._feed.stream(self._symbols, cursors):
            self.items += items

    @property
    def ticks(self) -> list[str]:
        return [clock(item.at) for item in self.items if isinstance(item, FeedTick)]


async def until(count: int, listener: Listener) -> None:
    """Wait until so many ticks were heard."""
    for _ in range(6_000):
        if len(listener.ticks) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"only {listener.ticks}")


async def test_a_recording_is_played_at_its_pace(
    tmp_path: Path, paces: Paces, wall: HandClock
) -> None:
    """At ten times life a row half a minute later comes three seconds later, not before."""
    path = tmp_path / "file.csv"
    path.write_text(
        "time,symbol,price\n2026-06-10T14:00:00Z,EURUSD,1.1\n2026-06-10T14:00:30Z,EURUSD,1.2\n"
        "2026-06-10T14:00:31Z,EURUSD,1.3\n"
    )
    listener = Listener(FileFeed(path, TABLE, wall, Playing(paces, 10.0)), ["EURUSD"])
    task = asyncio.create_task(listener.listen({}))
    await until(1, listener)
    wall.at += int(2.99 * SECOND)
    await asyncio.sleep(0.15)
    assert listener.ticks == ["14:00"]
    wall.at += int(0.02 * SECOND)
    await until(2, listener)
    assert listener.ticks == ["14:00", "14:00:30"]
    # The last minute's own end is waited for too.
    wall.at += 3 * SECOND
    await asyncio.wait_for(task, 60)
    assert listener.ticks == ["14:00", "14:00:30", "14:00:31"]


async def test_a_restarted_recording_does_not_wait_again(
    tmp_path: Path, paces: Paces, wall: HandClock
) -> None:
    """What was played before the restart counts as played, its time included."""
    path = tmp_path / "file.csv"
    path.write_text(
        "time,symbol,price\n2026-06-10T14:00:00Z,EURUSD,1.1\n2026-06-10T15:00:00Z,EURUSD,1.2\n"
    )
    first = Listener(FileFeed(path, TABLE, wall, Playing(paces, 60.0)), ["EURUSD"])
    task = asyncio.create_task(first.listen({}))
    await until(1, first)
    await end([task])
    wall.at += 60 * SECOND
    again = Listener(FileFeed(path, TABLE, wall, Playing(paces, 60.0)), ["EURUSD"])
    await asyncio.wait_for(again.listen({"EURUSD": Cursor(at("14:00"), 1)}), 60)
    assert again.ticks == ["15:00"]


async def test_a_restarted_demo_goes_on_at_its_cursor(wall: HandClock) -> None:
    """Killed and started again two seconds later: the ticks in between follow, none twice."""
    pace = Pace(START, wall.now(), 60.0)
    wall.at += 5 * SECOND
    whole = Listener(DemoFeed(TABLE, wall, pace, 1), ["EURUSD"])
    task = asyncio.create_task(whole.listen({}))
    await until(20, whole)
    await end([task])
    ticks = [item for item in whole.items if isinstance(item, FeedTick)]
    last = ticks[7]
    rest = Listener(DemoFeed(TABLE, wall, pace, 1), ["EURUSD"])
    task = asyncio.create_task(rest.listen({"EURUSD": Cursor(last.at, 1)}))
    await until(len(ticks) - 8, rest)
    await end([task])
    assert [item for item in rest.items if not isinstance(item, FeedTime)] == ticks[8:]
