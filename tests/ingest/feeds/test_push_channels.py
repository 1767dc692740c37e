"""Redis channels: messages read under their own names, and a listener on the real server."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from services.ingest.adapters.feeds.push.channels import BadMessage, rows_of
from services.ingest.adapters.feeds.push.inlet import Inlet
from services.ingest.adapters.feeds.push.listener import Listener
from services.ingest.adapters.feeds.push.parse import Book
from services.ingest.sections import ChannelNames, PushSection
from shared.bus.connection import connect, execute
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.tasks import end
from shared.clock import SystemClock
from shared.events import Event
from tests.ingest.lines import TABLE

PLAIN: ChannelNames = {}


@pytest.mark.parametrize(
    ("message", "rows"),
    [
        (
            '{"symbol": "NIFTY", "ltp": 24512.3, "timestamp": 1763700301}',
            [{"symbol": "NIFTY", "price": 24512.3, "at": 1763700301}],
        ),
        (
            '[{"symbol": "A", "price": 1, "at": 1}, {"symbol": "B", "close": 2, "ts": 1}]',
            [{"symbol": "A", "price": 1, "at": 1}, {"symbol": "B", "price": 2, "at": 1}],
        ),
        (
            '{"ts": 7, "underlying": "NIFTY", "options": [{"tradingsymbol": "O", "ltp": 0.0}]}',
            [{"symbol": "O", "price": 0.0, "at": 7}],
        ),
        ('{"symbol": "A", "bid": 1, "ask": 2}', [{"symbol": "A", "bid": 1, "ask": 2}]),
        ('{"symbol": "A", "price": null, "ltp": 3}', [{"symbol": "A", "price": 3}]),
    ],
)
def test_a_message_is_read_under_its_own_names(message: str, rows: list[object]) -> None:
    """One tick, a list of them, or a list inside an object whose own fields count for all."""
    assert rows_of(message, PLAIN) == rows


def test_a_channel_of_one_instrument_need_not_name_it() -> None:
    """The settings say whose prices they are; a message that says so itself is believed."""
    names: ChannelNames = {"default_symbol": "NIFTY 50", "price": "p"}
    assert rows_of('{"p": 1}', names) == [{"symbol": "NIFTY 50", "price": 1}]
    assert rows_of('{"p": 1, "symbol": "B"}', names) == [{"symbol": "B", "price": 1}]


@pytest.mark.parametrize(
    ("message", "why"),
    [("<html>", "no JSON"), ("", "no JSON"), ("3", "neither"), ("[]", "neither"), ("[1]", "neith")],
)
def test_a_message_without_prices_is_told(message: str, why: str) -> None:
    """What is no JSON, or no object."""
    with pytest.raises(BadMessage, match=why):
        rows_of(message, PLAIN)


def counts(listener: Listener) -> Counter[tuple[str, ...]]:
    ((_, rows),) = listener.metrics()
    return Counter({labels: int(number) for labels, number in rows})


async def until(done: Callable[[], bool]) -> None:
    """Wait for a condition, with patience."""
    for _ in range(3_000):
        if done():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about")


async def pushed(log: RedisLog, keys: Keys) -> list[Event]:
    reads, found = RedisReads(log.redis, keys), []
    for partition in range(keys.partitions):
        found += [event for _, event in await reads.recent(partition, "pushed", 100)]
    assert all(isinstance(event, Event) for event in found)
    return found  # type: ignore[return-value]


async def no_news(detail: str) -> None:
    assert detail == "listens on Redis channels again"


class Stage:
    """Two replicas that listen on one channel, and a program that publishes there.

    Channels are the server's, not the namespace's: the name keeps other tests' out.
    """

    def __init__(self, url: str, log: RedisLog, keys: Keys) -> None:
        section = PushSection()
        self.channel = f"{keys.namespace}:underlying"
        self._redis = log.redis
        self.listeners = [
            Listener(
                lambda: connect(url),
                {self.channel: section.channels["ticker:nifty:underlying"]},
                Inlet(log.redis, keys),
                Book(TABLE, section.aliases),
                SystemClock(),
            )
            for _ in range(2)
        ]

    async def say(self, message: str) -> None:
        """Publish, once both listen."""
        for _ in range(3_000):
            if dict(await self._redis.pubsub_numsub(self.channel))[self.channel] == 2:
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError("they do not listen")
        await execute(self._redis, "PUBLISH", self.channel, message)

    def each(self, result: str) -> list[int]:
        """How often something became of a message, by listener."""
        return [counts(one)[self.channel, result] for one in self.listeners]


async def test_what_is_published_is_taken_once_and_rubbish_is_counted(
    server_url: str, redis_log: RedisLog, keys: Keys
) -> None:
    """Two replicas hear the same; a lost connection is made again."""
    stage = Stage(server_url, redis_log, keys)
    tasks = [asyncio.create_task(one.run(no_news)) for one in stage.listeners]
    try:
        await stage.say('{"symbol": "NIFTY", "ltp": 24512.3, "timestamp": 1763700301}')
        await stage.say("<html>")
        await stage.say('{"ltp": -1, "timestamp": 1763700301}')
        await until(lambda: stage.each("rejected") == [1, 1])
        assert (sum(stage.each("accepted")), sum(stage.each("duplicate"))) == (1, 1)
        assert stage.each("malformed") == [1, 1]
        await execute(redis_log.redis, "CLIENT", "KILL", "TYPE", "pubsub")
        await stage.say('{"ltp": 24513, "timestamp": 1763700302}')
        await until(lambda: sum(stage.each("duplicate")) == 2)
    finally:
        await end(tasks)
    assert [(one.symbol, one.at) for one in await pushed(redis_log, keys)] == [
        ("NIFTY 50", 1763700301_000_000),
        ("NIFTY 50", 1763700302_000_000),
    ]
