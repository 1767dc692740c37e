"""How far the archive and the log agree after a failover that took entries back."""

import asyncio

import structlog

from shared.archive.columns import WRITTEN, entries
from shared.archive.files import Shelf, resolved, rows_of
from shared.archive.live import Live, mark_stands, stands
from shared.archive.places import Mark
from shared.bus.log import START, order
from shared.events.codec import RawEntry, decode_one

log = structlog.get_logger(__name__)

# First step back: more than an asynchronous replica usually lags. Each further one is twice as far.
_STEP_MS = 60_000


async def agreed(live: Live, shelf: Shelf, partition: int, topic: str, mark: Mark) -> str:
    """The newest entry known to be recorded and still in the log, ``START`` if none is.

    It is the mark itself unless a failover took that back; then an earlier one, not necessarily
    the last before the loss. Reading the log on from there misses nothing.
    """
    if await mark_stands(live, partition, topic, mark):
        return mark.entry
    back_ms = _STEP_MS
    while True:
        edge = max(0, order(mark.entry)[0] - back_ms)
        recorded = await asyncio.to_thread(_newest, shelf, partition, topic, f"{edge}-0")
        if recorded is None:
            return START
        if await _holds(live, partition, topic, recorded):
            log.warning("archive_rewound", topic=topic, partition=partition, to=recorded[0])
            return recorded[0]
        back_ms *= 2


def _newest(shelf: Shelf, partition: int, topic: str, end: str) -> RawEntry | None:
    """The newest entry recorded up to an id."""
    parts = resolved(shelf.pieces(topic, shelf.months(topic), partition))
    rows = rows_of(topic, parts, {partition: end})
    newest = rows.sort(WRITTEN).tail(1).collect()
    return entries(newest)[0] if len(newest) else None


async def _holds(live: Live, partition: int, topic: str, recorded: RawEntry) -> bool:
    """Whether the log has a recorded entry, or begins after it."""
    entry, fields = recorded
    event = decode_one(fields)
    return await stands(live, partition, topic, entry, lambda one: decode_one(one) == event)
