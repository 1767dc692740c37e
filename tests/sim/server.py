"""The server of a simulation: the log in memory, with a past that it can fall back to."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

from shared.bus.log import At, Commit
from shared.bus.memory_log import Cell, MemoryLog, Place
from shared.bus.topics import StageName
from shared.events.base import Scalar
from shared.events.codec import RawEntry

# The server's clock is not the workers'.
_START_MS = 1_760_000_123_456


@dataclass(frozen=True, slots=True)
class Standing:
    """A commit that was applied, and the token that the lease had then."""

    commit: Commit
    token: str


@dataclass(frozen=True, slots=True)
class _Change:
    """Something that was written to a partition, and how to take it back."""

    at: float
    undo: Callable[[], object]


class Server(MemoryLog):
    """Remembers every change with its time, everything ever trimmed, and what commits stand."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions, self._clock_ms)
        self.jumped_ms = 0
        self.failovers = 0
        self.archive: dict[At, list[RawEntry]] = defaultdict(list)
        self.standing: dict[Place, list[Standing]] = defaultdict(list)
        self._past: dict[int, list[_Change]] = defaultdict(list)
        self._awaiting: dict[asyncio.Future[None], Container[At]] = {}

    def cell(self, stage: StageName, partition: int) -> Cell:
        """What a stage keeps of a partition."""
        return self._cells[stage, partition]

    async def lives(self) -> list[str]:
        """Each partition's incarnation, and which server tells it."""
        everywhere = range(self.partitions)
        return [f"{self._lives[partition]}@{self.failovers}" for partition in everywhere]

    def roll_back(self, partitions: Iterable[int], seconds: float) -> int:
        """Lose what was written in the last seconds, as a lagging replica has; returns how much."""
        self.failovers += 1
        since = asyncio.get_running_loop().time() - seconds
        lost = 0
        for partition in partitions:
            past = self._past[partition]
            while past and past[-1].at > since:
                past.pop().undo()
                lost += 1
        return lost

    async def news(self, topics: Container[At], seconds: float) -> None:
        """Wait until something is written to one of the topics, but no longer than that."""
        loop = asyncio.get_running_loop()
        written = loop.create_future()
        self._awaiting[written] = topics
        timer = loop.call_later(seconds, self._wake, written)
        await written
        timer.cancel()

    def _wake(self, written: "asyncio.Future[None]") -> None:
        self._awaiting.pop(written, None)
        if not written.done():
            written.set_result(None)

    def _clock_ms(self) -> int:
        elapsed = asyncio.get_running_loop().time()
        return _START_MS + round(elapsed * 1_000) + self.jumped_ms

    def _put(self, place: Place, cell: Cell) -> None:
        before = self._cells[place]
        super()._put(place, cell)
        self._remember(place[1], lambda: self._cells.__setitem__(place, before))

    def _add(self, at: At, fields: Sequence[Scalar]) -> str:
        stream, archive = self._streams[at], self.archive[at]
        last = stream.last
        entry_id = super()._add(at, fields)
        archive.append(stream.entries[-1])

        def undo() -> None:
            stream.entries.pop()
            archive.pop()
            stream.added -= 1
            stream.last = last

        self._remember(at[0], undo)
        for written in [one for one, topics in self._awaiting.items() if at in topics]:
            self._wake(written)
        return entry_id

    def _cut(self, at: At, keep: int) -> int:
        entries = self._streams[at].entries
        before = list(entries)
        removed = super()._cut(at, keep)

        def undo() -> None:
            entries[:] = before

        if removed:
            self._remember(at[0], undo)
        return removed

    def _reincarnate(self, partition: int, incarnation: str) -> None:
        before = self._lives[partition]
        super()._reincarnate(partition, incarnation)
        self._remember(partition, lambda: self._lives.__setitem__(partition, before))

    def _write(self, commit: Commit) -> None:
        place = commit.stage, commit.partition
        standing = self.standing[place]
        standing.append(Standing(commit, self._cells[place].token))
        self._remember(commit.partition, standing.pop)
        super()._write(commit)

    def _remember(self, partition: int, undo: Callable[[], object]) -> None:
        self._past[partition].append(_Change(asyncio.get_running_loop().time(), undo))
