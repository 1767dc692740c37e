"""Spines full of ticks, to be worked through as fast as it goes."""

import redis

from benchmarks.load_feed import Load, LoadFeed, wave
from services.ingest.domain.instrument_file import with_file
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import FeedTick
from services.ingest.domain.spine import SpineWriter
from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.events import Event

# So many ticks of a symbol in a minute of market time.
_A_MINUTE = 600


def spines(load: Load, ticks: int, partitions: int) -> dict[int, list[Event]]:
    """Each partition's entries: instruments, ticks in turn through the symbols, and closes."""
    names, prices = load.names, wave(load.period())
    step = 60_000_000 // _A_MINUTE
    items: dict[int, list[FeedTick]] = {partition: [] for partition in range(partitions)}
    for n in range(ticks):
        turn, which = divmod(n, len(names))
        name, price = names[which], prices[turn % len(prices)]
        tick = FeedTick(name, load.start + turn * step + which, price, 1.0, LoadFeed.name)
        items[partition_of(name, partitions)].append(tick)
    table = with_file(InstrumentTable(()), load.instruments(), "load")
    return {
        partition: SpineWriter(table, {}).process(mine) for partition, mine in items.items() if mine
    }


def fill(client: "redis.Redis", keys: Keys, entries: dict[int, list[Event]]) -> int:
    """Append entries to their spines as they are; returns how many."""
    for partition, events in entries.items():
        key = keys.topic(partition, "tick")
        for first in range(0, len(events), 1_000):
            pipe = client.pipeline(transaction=False)
            for event in events[first : first + 1_000]:
                pipe.execute_command("XADD", key, "*", *event.wire())  # type: ignore[no-untyped-call]
            pipe.execute()
    return sum(map(len, entries.values()))
