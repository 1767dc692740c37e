"""Following topics from outside: every partition in one read, for readers that are no stage."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import structlog

from shared.bus.handed import Handed, rewound
from shared.bus.lives import Lives
from shared.bus.log import START, At, Log
from shared.bus.topics import Topic
from shared.events.base import Event
from shared.events.codec import Decoded, Poison, decode

log = structlog.get_logger(__name__)

Followed = tuple[Topic, int, str, Event | Poison]
"""Topic, partition, entry id, and the event or why it is none."""

_BLOCK_MS = 500
_COUNT = 1_000


class Tail:
    """An endless iterator of batches, each in order within its topic and partition.

    ``start`` is where to begin for topics and partitions not named in ``offsets``: the beginning
    by default. ``offsets`` grows as batches are handed out, so a reader can save and resume it.
    A server that is away is waited for; nothing is skipped.

    With ``lives``, a failover that took entries back is noticed: the partition is read again from
    ``REWIND_MS`` before, and events that were handed out since are left out by their ids.
    ``incarnations`` is to be saved beside ``offsets`` and given back as ``known``; what was handed
    out before such a resume may come once more.
    """

    def __init__(
        self,
        log_: Log,
        topics: Iterable[Topic],
        offsets: Mapping[At, str] | None = None,
        lives: Lives | None = None,
        known: Sequence[str] | None = None,
    ) -> None:
        self._log = log_
        self._lives = lives
        self.offsets: dict[At, str] = {
            (partition, topic): START for topic in topics for partition in range(log_.partitions)
        } | dict(offsets or {})
        self.incarnations: list[str] | None = None if known is None else list(known)
        self._handed = {at: Handed() for at in self.offsets}

    async def __aiter__(self) -> AsyncIterator[list[Followed]]:
        while True:
            batch = await self.read(_BLOCK_MS)
            if batch:
                yield batch

    async def read(self, block_ms: int = 0) -> list[Followed]:
        """The next batch; empty if nothing came within ``block_ms``."""
        if self._lives is not None:
            self._rewind(await self._lives.now())
        raw = await self._log.read(self.offsets, count=_COUNT, block_ms=block_ms)
        batch: list[Followed] = []
        for at, entries in raw.items():
            self.offsets[at] = entries[-1][0]
            found = decode(entries)
            fresh = found if self._lives is None else self._fresh(at, found)
            batch += [(at[1], at[0], entry_id, event) for entry_id, event in fresh]
        return batch

    def _rewind(self, incarnations: list[str]) -> None:
        """Go back in the partitions that have a new life since the last look."""
        before, self.incarnations = self.incarnations, incarnations
        if before is None:
            return
        reborn = {p for p, life in enumerate(incarnations) if life != before[p]}
        for partition in sorted(reborn):
            log.warning("tail_rewound", partition=partition, incarnation=incarnations[partition])
        for at, offset in self.offsets.items():
            if at[0] in reborn:
                self.offsets[at] = rewound(offset)

    def _fresh(self, at: At, found: Sequence[Decoded]) -> list[Decoded]:
        """What was not handed out before; it is remembered for as long as a rewind goes back."""
        handed = self._handed[at]
        fresh = handed.fresh(found)
        handed.add(fresh)
        return fresh


def events(batch: Sequence[Followed]) -> list[Event]:
    """Only what could be read."""
    return [event for *_, event in batch if isinstance(event, Event)]
