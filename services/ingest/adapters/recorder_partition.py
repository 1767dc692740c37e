"""Records one partition: what the log holds, as files that a crash leaves in no doubt.

A pass reads on from the place, writes what came as pieces, and then the place: only that makes them
count. Whatever lies beyond the place when somebody begins was left by a crash, and goes. Where the
log has lost recorded entries (a failover), the place goes back to where both agree, and what the
log lost is set aside.
"""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import structlog

from services.ingest.adapters.recorder_pieces import beyond, compact
from shared.archive.agreement import agreed
from shared.archive.columns import month, table
from shared.archive.files import Shelf
from shared.archive.live import Live, before, mark_standing, topics_of
from shared.archive.places import BEGINNING, Mark, Place, digest, read_place, write_place
from shared.archive.states import Saved, keep_states
from shared.bus.log import START, order
from shared.events.codec import RawEntry
from shared.events.spine import SPINE, Heartbeat

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much at once, in entries, and why."""

    # About a millisecond of the process's time.
    page: int = 500
    # Turned into columns at once: spreads what each table costs.
    rows: int = 2_000
    # Of one topic in one pass: a long way behind costs no more memory than a short one.
    most: int = 20_000
    # Pieces of one month that are merged during the day.
    pieces: int = 24


SIZES = Sizes()
Result = TypeVar("Result")
States = Callable[[int], Awaitable[Saved]]


class Occupied(Exception):
    """Another process records the partition."""


class Taken:
    """What was read of one topic."""

    def __init__(self, after: Mark) -> None:
        self.end = after
        self.tables: list[pl.DataFrame] = []
        self.count = 0
        self._edges: list[Mark] = []

    @property
    def edges(self) -> list[Mark]:
        """The last entry of every portion read: where it stands, the whole portion does."""
        return self._edges

    def add(self, rows: pl.DataFrame, last: RawEntry) -> None:
        """One more portion."""
        self.end = Mark(last[0], digest(last[1]))
        self.tables.append(rows)
        self._edges.append(self.end)
        self.count += len(rows)


class PartitionRecorder:
    """The one writer of a partition's pieces; holds a lock on them until ``close``.

    Raises:
        Occupied: another process records the partition.
        OSError: the archive cannot be written.
        ArchiveError: something there is none of ours.
    """

    def __init__(
        self, shelf: Shelf, live: Live, partition: int, states: States, sizes: Sizes = SIZES
    ) -> None:
        self.partition = partition
        self.place = Place()
        self._shelf = shelf
        self._live = live
        self._states = states
        self._sizes = sizes
        self._compacted_on = ""
        self._touched: set[tuple[str, str]] = set()
        self._lock = _locked(shelf.folder / "places" / f"{partition:03d}.lock")

    async def open(self) -> None:
        """Find the place, and take away what a crash has left beyond it."""

        def find() -> None:
            self.place = read_place(self._shelf, self.partition)
            self._clear(lost=False)

        await in_thread(find)

    def close(self) -> None:
        """Let another process record the partition."""
        os.close(self._lock)

    async def record(self) -> dict[str, int]:
        """One pass: entries recorded by topic, at most ``most`` of each; nothing if all was."""
        await self._go_back()
        taken = {topic: await self._take(topic) for topic in topics_of(self.partition)}
        taken = {topic: one for topic, one in taken.items() if one.count}
        for topic, one in taken.items():
            for edge in one.edges:
                if await mark_standing(self._live, self.partition, topic, edge) != "here":
                    return {}  # a failover meanwhile: the next pass goes back
        if taken:
            await in_thread(self._write, taken)
            await self._keep_states(taken)
        await in_thread(self._compact)
        return {topic: one.count for topic, one in taken.items()}

    async def _take(self, topic: str) -> Taken:
        taken = Taken(self.place.mark(topic))
        portion: list[RawEntry] = []
        after, ended = taken.end.entry, False
        while not ended and taken.count < self._sizes.most:
            page = await self._live.entries(self.partition, topic, after, self._sizes.page)
            portion += page
            ended = len(page) < self._sizes.page
            if page:
                after = page[-1][0]
            if portion and (ended or len(portion) >= self._sizes.rows):
                rows = await in_thread(table, topic, self.partition, portion)
                taken.add(rows, portion[-1])
                portion = []
        return taken

    def _write(self, taken: Mapping[str, Taken]) -> None:
        for topic, one in taken.items():
            rows = pl.concat(one.tables).with_columns(_month=month())
            span = self.partition, self.place.mark(topic).entry, one.end.entry
            for (name,), part in rows.group_by("_month"):
                self._shelf.publish(
                    self._shelf.path(topic, str(name), span), topic, part.drop("_month")
                )
                self._touched.add((topic, str(name)))
        marks = {**self.place.marks, **{topic: one.end for topic, one in taken.items()}}
        self._put(replace(self.place, marks=marks))

    async def _keep_states(self, taken: Mapping[str, Taken]) -> None:
        """Keep every stage's state once a day of the market, from its first heartbeat on."""
        if SPINE not in taken:
            return
        beats = pl.col("at").filter(pl.col("type") == Heartbeat.TYPE).max()
        newest = pl.concat([one.select(beats) for one in taken[SPINE].tables])["at"].max()
        day = "" if newest is None else str(newest)[:10]
        if day > self.place.state_day:
            saved = await self._states(self.partition)
            await in_thread(keep_states, self._shelf, self.partition, day, saved)
            await in_thread(self._put, replace(self.place, state_day=day))

    async def _go_back(self) -> None:
        """Where a failover took recorded entries back: return to where log and archive agree."""
        marks = dict(self.place.marks)
        for topic, mark in self.place.marks.items():
            entry = await agreed(self._live, self._shelf, self.partition, topic, mark)
            if entry != mark.entry:
                log.warning("recorder_went_back", topic=topic, partition=self.partition, to=entry)
                marks[topic] = await self._mark(topic, entry)
        if marks != self.place.marks:
            await in_thread(self._put, replace(self.place, marks=marks))
            await in_thread(lambda: self._clear(lost=True))

    async def _mark(self, topic: str, entry: str) -> Mark:
        if entry == START:
            return BEGINNING
        found = await self._live.entries(self.partition, topic, before(entry), 1)
        is_there = bool(found) and found[0][0] == entry
        return Mark(entry, digest(found[0][1]) if is_there else "")

    def _clear(self, *, lost: bool) -> None:
        """Take away what lies beyond the place; what the log lost is set aside."""
        for topic in topics_of(self.partition):
            for name in self._shelf.months(topic):
                beyond(self._shelf, (topic, name), self.partition, self.place.mark(topic), lost)

    def _put(self, place: Place) -> None:
        write_place(self._shelf, self.partition, place)
        self.place = place

    def _compact(self) -> None:
        """Merge what this pass has touched once it is many, and everything once a day."""
        day = max((self._day(mark) for mark in self.place.marks.values()), default="")
        if day != self._compacted_on:
            for topic in topics_of(self.partition):
                for name in self._shelf.months(topic):
                    compact(self._shelf, (topic, name), self.partition, most=1)
            self._compacted_on = day
        else:
            for place in self._touched:
                compact(self._shelf, place, self.partition, self._sizes.pieces)
        self._touched.clear()

    def _day(self, mark: Mark) -> str:
        return str(order(mark.entry)[0] // 86_400_000)


async def in_thread(work: Callable[..., Result], *arguments: Any) -> Result:
    """Do something in a thread; whoever is cancelled meanwhile waits for its end first.

    What is being written belongs to the lock, which must not be given back before.
    """
    task = asyncio.create_task(asyncio.to_thread(work, *arguments))
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task.exception()
        raise asyncio.CancelledError
    return task.result()


def _locked(path: Path) -> int:
    """A lock that ends with the process, however that ends.

    Raises:
        Occupied: another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Occupied(str(path)) from None
    except BaseException:
        os.close(handle)
        raise
    return handle
