"""How far the archive and the log agree after a failover that took entries back."""

import asyncio

from shared.archive.columns import WRITTEN, entries
from shared.archive.files import Shelf, resolved, rows_of
from shared.archive.live import Live, Standing, mark_standing, standing
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
        if recorded is None:
            return START
        entry = recorded[0]
        before = await _standing(live, partition, topic, recorded)
        is_anew = order(mark.entry)[0] - order(entry)[0] > _LOST_MAX_MS
        if before == "before" and (is_anew or await live.trimmed(partition, topic)):
            return mark.entry if found == "before" else entry
        if before == "here":
            return entry
        back_ms *= 2


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
