"""Following topics from outside: every partition in one read, for readers that are no stage."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from shared.bus.log import START, At, Log
from shared.bus.topics import Topic
from shared.events.base import Event
from shared.events.codec import Poison, decode

Followed = tuple[Topic, int, str, Event | Poison]
"""Topic, partition, entry id, and the event or why it is none."""

_BLOCK_MS = 500
_COUNT = 1_000


class Tail:
    """An endless iterator of batches, each in order within its topic and partition.

    ``start`` is where to begin for topics and partitions not named in ``offsets``: the beginning
    by default. ``offsets`` grows as batches are handed out, so a reader can save and resume it.
    A server that is away is waited for; nothing is skipped.
    """

    def __init__(
        self, log_: Log, topics: Iterable[Topic], offsets: Mapping[At, str] | None = None
    ) -> None:
        self._log = log_
        self.offsets: dict[At, str] = {
            (partition, topic): START for topic in topics for partition in range(log_.partitions)
        } | dict(offsets or {})

    async def __aiter__(self) -> AsyncIterator[list[Followed]]:
        while True:
            batch = await self.read(_BLOCK_MS)
            if batch:
                yield batch

    async def read(self, block_ms: int = 0) -> list[Followed]:
        """The next batch; empty if nothing came within ``block_ms``."""
        raw = await self._log.read(self.offsets, count=_COUNT, block_ms=block_ms)
        batch: list[Followed] = []
        for at, entries in raw.items():
            self.offsets[at] = entries[-1][0]
            batch += [(at[1], at[0], entry_id, event) for entry_id, event in decode(entries)]
        return batch


def events(batch: Sequence[Followed]) -> list[Event]:
    """Only what could be read."""
    return [event for *_, event in batch if isinstance(event, Event)]
