"""Reads that join the stored past with the live tail, without a gap and without a double.

Stored rows count up to the last entry on which archive and log agree; what comes after is read from
the log. A service without the archive at hand sees what the log still holds.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import polars as pl
import structlog
from redis.asyncio import Redis

from shared.archive.agreement import agreed
from shared.archive.columns import WRITTEN, entries, table
from shared.archive.files import ArchiveError, Shelf, resolved, rows_of
from shared.archive.live import Live, RedisLive, topics_of
from shared.archive.places import Mark, read_place
from shared.archive.revisions import CANDLE_KEY, Revisions, newest
from shared.bus.keys import Keys
from shared.bus.log import START, order
from shared.bus.partitions import partition_of
from shared.events.base import Event, moment
from shared.events.candle import CandleClosed
from shared.events.codec import RawEntry, decode
from shared.events.spine import SPINE
from shared.market.timeframes import Timeframe

log = structlog.get_logger(__name__)

_PAGE = 2_000
_BATCH = 2_000
# Compaction may take a file away between finding and reading it.
_TRIES = 3


class Archive:
    """Everything recorded of one namespace, and what the log holds beyond it.

    Times are microseconds since 1970; a range is half-open, ``since <= at < until``, by the time of
    the market (for a candle: of its end). Without ``live`` the log is left out.
    """

    def __init__(self, shelf: Shelf, partitions: int, live: Live | None) -> None:
        self.shelf = shelf
        self.partitions = partitions
        self.revisions = Revisions(shelf, partitions)
        self._live = live

    @classmethod
    def at(cls, folder: Path, keys: Keys, redis: Redis | None) -> Self:
        """The archive of a namespace below a folder, and its log."""
        live = None if redis is None else RedisLive(redis, keys)
        return cls(Shelf(folder, keys.namespace), keys.partitions, live)

    async def candles(
        self, symbol: str, timeframe: Timeframe, since: int, until: int
    ) -> list[CandleClosed]:
        """Closed candles in order of time, each by the newest word on it (see ``revisions``)."""
        rows = await self.candle_table(symbol, timeframe, since, until)
        return [one for _, one in decode(entries(rows)) if isinstance(one, CandleClosed)]

    async def candle_table(
        self,
        symbol: str,
        timeframe: Timeframe,
        since: int,
        until: int,
        columns: Sequence[str] = (),
    ) -> pl.DataFrame:
        """The same as a table; few ``columns`` are read many times faster than all.

        ``symbol``, ``timeframe``, ``at``, ``written_at``, ``written_n`` and ``is_revised`` are
        there in any case.
        """
        wanted = (pl.col("type") == CandleClosed.TYPE) & (pl.col("timeframe") == timeframe)
        wanted &= pl.col("symbol") == symbol
        span, partition = (since, until), partition_of(symbol, self.partitions)
        names = tuple(dict.fromkeys((*columns, *CANDLE_KEY, *WRITTEN))) if columns else ()
        published = await self.partition_table(CandleClosed.TOPIC, partition, span, wanted, names)
        rows = self.revisions.rows(_months(self.revisions.months(), span), partition)
        chosen = rows.filter(wanted & _within(span)).select(names or pl.all())
        revised = await asyncio.to_thread(chosen.collect)
        if revised.is_empty():  # the joining below costs more than all the reading
            return published.with_columns(is_revised=pl.lit(value=False)).sort("at")
        told = newest(published.lazy(), revised.lazy()).sort("at")
        return await asyncio.to_thread(told.collect)

    async def events(self, topic: str, symbol: str, since: int, until: int) -> list[Event]:
        """A symbol's events of a topic, in the order in which they were written."""
        rows = await self.table(topic, symbol, (since, until))
        return [one for _, one in decode(entries(rows.sort(WRITTEN))) if isinstance(one, Event)]

    async def table(
        self,
        topic: str,
        symbol: str,
        span: tuple[int, int],
        wanted: pl.Expr | None = None,
    ) -> pl.DataFrame:
        """A symbol's entries of a topic as rows; its columns are ``topic_schema``'s."""
        meant = pl.col("symbol") == symbol
        if wanted is not None:
            meant &= wanted
        partition = partition_of(symbol, self.partitions)
        return await self.partition_table(topic, partition, span, meant)

    async def spine(self, partition: int, since: int, until: int) -> AsyncIterator[list[Event]]:
        """A partition's spine, whole and in its order, in batches; foreign entries are left out."""
        async for batch in self.recorded(SPINE, partition, since, until):
            yield [one for _, one in decode(batch) if isinstance(one, Event)]

    async def recorded(
        self, topic: str, partition: int, since: int, until: int
    ) -> AsyncIterator[list[RawEntry]]:
        """A partition's entries of a topic just as the log held them, in order, in batches."""
        rows = (await self.partition_table(topic, partition, (since, until))).sort(WRITTEN)
        for batch in rows.iter_slices(_BATCH):
            yield entries(batch)

    async def partition_table(
        self,
        topic: str,
        partition: int,
        span: tuple[int, int],
        wanted: pl.Expr | None = None,
        columns: Sequence[str] = (),
    ) -> pl.DataFrame:
        """A partition's entries of a topic as rows, in no certain order; all columns if none."""
        meant = _within(span) if wanted is None else _within(span) & wanted
        chosen = columns or pl.all()

        def stored(end: str) -> pl.DataFrame:
            months = _months(self.shelf.months(topic), span)
            rows = self.stored(topic, months, {partition: end})
            return rows.filter(meant).select(chosen).collect()

        for tried in range(_TRIES):
            mark = await self._mark(topic, partition)
            end = await self._end(topic, partition, mark)
            tail = (await self.tail(topic, partition, end)).filter(meant).select(chosen)
            try:
                found = await asyncio.to_thread(stored, end)
            except (FileNotFoundError, pl.exceptions.ComputeError):
                if tried + 1 == _TRIES:
                    raise
                continue
            after = await self._mark(topic, partition)
            if order(after.entry) >= order(mark.entry):
                return pl.concat([found, tail])
            # The recorder went back with the log meanwhile, and files were cut under our hands.
        raise ArchiveError(f"the archive of {topic}, partition {partition}, changes all the time")

    async def ends(self, topic: str) -> dict[int, str]:
        """Up to which entry each partition's stored rows count."""
        marks = {one: await self._mark(topic, one) for one in range(self.partitions)}
        return {one: await self._end(topic, one, mark) for one, mark in marks.items()}

    async def tail(self, topic: str, partition: int, end: str) -> pl.DataFrame:
        """What the log holds of a topic after an entry."""
        found: list[RawEntry] = []
        while self._live is not None and topic in topics_of(partition):
            page = await self._live.entries(partition, topic, found[-1][0] if found else end, _PAGE)
            found += page
            if len(page) < _PAGE:
                break
        return await asyncio.to_thread(table, topic, partition, found)

    async def _mark(self, topic: str, partition: int) -> Mark:
        return (await asyncio.to_thread(read_place, self.shelf, partition)).mark(topic)

    async def _end(self, topic: str, partition: int, mark: Mark) -> str:
        if self._live is None or mark.entry == START:
            return mark.entry
        return await agreed(self._live, self.shelf, partition, topic, mark)

    def stored(self, topic: str, months: Sequence[str], ends: Mapping[int, str]) -> pl.LazyFrame:
        """What is stored of these months, in the partitions of ``ends`` and up to them."""
        pieces = self.shelf.pieces(topic, months)
        return rows_of(topic, resolved(one for one in pieces if one.partition in ends), ends)


def _within(span: tuple[int, int]) -> pl.Expr:
    since, until = (moment(max(0, one)) for one in span)
    return (pl.col("at") >= since) & (pl.col("at") < until)


def _months(kept: Sequence[str], span: tuple[int, int]) -> list[str]:
    """The months of a range, of those that anything is kept of."""
    since, until = (f"{moment(max(0, one)):%Y-%m}" for one in span)
    return [month for month in kept if since <= month <= until]
