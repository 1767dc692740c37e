"""How far the archive and the log agree after a failover that took entries back."""

import asyncio

from shared.archive.columns import WRITTEN, entries
from shared.archive.files import Shelf, resolved, rows_of
from shared.archive.live import Live, Standing, before, mark_standing, standing
from shared.archive.places import Mark
from shared.bus.log import START, order
from shared.events.codec import RawEntry, decode_one

# First step back: more than an asynchronous replica usually lags. Each further one is twice as far.
_STEP_MS = 60_000
# A failover takes no more back. A log that has lost more was begun anew: what is kept is kept.
_LOST_MAX_MS = 3_600_000


async def agreed(live: Live, shelf: Shelf, partition: int, topic: str, mark: Mark) -> str:
    """The newest entry known to be recorded and not lost by the log, ``START`` if none is.

    It is the mark itself unless a failover took that back; then an earlier one, not necessarily
    the last before the loss. Reading the log on from there misses nothing.
    """
    found = await mark_standing(live, partition, topic, mark)
    if found == "here":
        return mark.entry
    back_ms = _STEP_MS
    while True:
        edge = max(0, order(mark.entry)[0] - back_ms)
        recorded = await asyncio.to_thread(_newest, shelf, partition, topic, f"{edge}-0")
        is_trimmed = await live.trimmed(partition, topic)
        if recorded is None:
            return await _before_all(live, shelf, partition, topic) if is_trimmed else START
        entry = recorded[0]
        known = await _standing(live, partition, topic, recorded)
        is_anew = order(mark.entry)[0] - order(entry)[0] > _LOST_MAX_MS
        if known == "before" and found == "before" and is_anew:
            return mark.entry
        if known == "before" and (is_anew or is_trimmed):
            return await _before_all(live, shelf, partition, topic)
        if known == "here":
            return entry
        back_ms *= 2


async def _before_all(live: Live, shelf: Shelf, partition: int, topic: str) -> str:
    """The newest entry recorded of those before all that the log holds; ``START`` if none is."""
    first = await live.entries(partition, topic, START, 1)
    edge = before(first[0][0]) if first else START
    recorded = await asyncio.to_thread(_newest, shelf, partition, topic, edge)
    return START if recorded is None else recorded[0]


def _newest(shelf: Shelf, partition: int, topic: str, end: str) -> RawEntry | None:
    """The newest entry recorded up to an id."""
    parts = resolved(shelf.pieces(topic, shelf.months(topic), partition))
    rows = rows_of(topic, parts, {partition: end})
    newest = rows.sort(WRITTEN).tail(1).collect()
    return entries(newest)[0] if len(newest) else None


async def _standing(live: Live, partition: int, topic: str, recorded: RawEntry) -> Standing:
    entry, fields = recorded
    event = decode_one(fields)
    return await standing(live, partition, topic, entry, lambda one: decode_one(one) == event)
