"""What an event costs on the real server: bytes counted by the server itself, no timing."""

import random

import redis

from shared.bus.keys import Keys
from shared.events import Tick
from tests.events.entries import as_read, sample

TICKS = 10_000
BYTES_MAX = 70


def market(count: int) -> list[Tick]:
    """A seeded walk of three instruments, some ticks a second."""
    chance = random.Random(7)
    prices = {"EURUSD": 1.08525, "MES": 5900.25, "NIFTY 50": 24110.5}
    ticks, at = [], 1_795_166_099_000_250
    for pos in range(1, count + 1):
        at += chance.randrange(1_000, 200_000)
        symbol = chance.choice(sorted(prices))
        prices[symbol] = round(prices[symbol] * (1 + chance.gauss(0, 1e-5)), 5)
        ticks.append(
            Tick(
                symbol=symbol, at=at, pos=pos, price=prices[symbol], size=0, source="demo",
                n=pos % 600,
            )
        )  # fmt: skip
    return ticks


def test_a_tick_takes_seventy_bytes_at_most(server_url: str, keys: Keys) -> None:
    """Plain fields, the same in every entry: Redis keeps their names once a node."""
    key = keys.topic(0, "tick")
    with redis.Redis.from_url(server_url) as client:
        pipe = client.pipeline(transaction=False)
        for tick in market(TICKS):
            pipe.execute_command("XADD", key, "*", *tick.wire())
        pipe.execute()
        used = client.memory_usage(key, samples=0)
    assert used is not None
    assert used / TICKS <= BYTES_MAX


def test_an_entry_reads_as_text(server_url: str, keys: Keys) -> None:
    """What a person sees with redis-cli is what was written down by hand."""
    recorded = sample("tick.v1")
    with redis.Redis.from_url(server_url, decode_responses=True) as client:
        key = keys.topic(0, "tick")
        client.execute_command("XADD", key, "*", *recorded.fields)
        tick = market(1)[0]
        client.execute_command("XADD", key, "*", *tick.wire())
        (_, by_hand), (_, by_code) = client.xrange(key)
    assert list(by_hand) == list(by_code)
    assert [part for pair in by_code.items() for part in pair] == as_read(tick)
