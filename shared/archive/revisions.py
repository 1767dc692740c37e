"""Candles that a provider corrected or gave later: kept beside what was published, newest first.

Indicators and signals never see them, so what was published stays true to what was decided.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from shared.archive.columns import table
from shared.archive.files import Shelf, scan
from shared.bus.partitions import partition_of
from shared.events.base import moment
from shared.events.candle import CandleClosed

TOPIC = "candle_revised"
_PUBLISHED = CandleClosed.TOPIC
CANDLE_KEY = ("symbol", "timeframe", "at")
_MS = 1_000


class Revisions:
    """The revisions of one namespace."""

    def __init__(self, shelf: Shelf, partitions: int) -> None:
        self._shelf = shelf
        self._partitions = partitions

    def write(self, candles: Sequence[CandleClosed], at: int) -> int:
        """Keep candles as revised at this moment; how many. The same call again changes nothing.

        Raises:
            OSError: the disk is full, or may not be written to.
        """
        lanes: dict[tuple[str, str], list[CandleClosed]] = {}
        for candle in candles:
            lanes.setdefault((candle.symbol, f"{moment(candle.at):%Y-%m}"), []).append(candle)
        for (symbol, month), lane in lanes.items():
            self._publish(partition_of(symbol, self._partitions), month, lane, at)
        return len(candles)

    def rows(self, months: Sequence[str], partition: int | None = None) -> pl.LazyFrame:
        """All that was revised of these months, whichever is the newest."""
        paths = [
            path
            for month in months
            for path in sorted(self._folder(month).glob("*.parquet"))
            if partition is None or path.name.startswith(f"{partition:03d}_")
        ]
        return scan(_PUBLISHED, paths)

    def months(self) -> list[str]:
        """The months of which any candle was revised."""
        return self._shelf.months(TOPIC)

    def _publish(self, partition: int, month: str, lane: list[CandleClosed], at: int) -> None:
        entries = [
            (f"{at // _MS}-{n}", [str(value) for value in candle.wire()])
            for n, candle in enumerate(lane)
        ]
        told = "\n".join(" ".join(fields) for _, fields in entries)
        digest = hashlib.sha256(told.encode()).hexdigest()[:12]
        path = self._folder(month) / f"{partition:03d}_{at // _MS}_{digest}.parquet"
        self._shelf.publish(path, _PUBLISHED, table(_PUBLISHED, partition, entries))

    def _folder(self, month: str) -> Path:
        return self._shelf.folder / f"topic={TOPIC}" / f"month={month}"


def newest(published: pl.LazyFrame, revised: pl.LazyFrame) -> pl.LazyFrame:
    """Candles by the newest word on each: a revision where there is one, else as published.

    In no certain order, one row a candle, with ``is_revised`` added.
    """
    latest = revised.sort("written_at", "written_n").unique(
        CANDLE_KEY, keep="last", maintain_order=True
    )
    kept = published.join(
        latest.select(CANDLE_KEY), on=CANDLE_KEY, how="anti", maintain_order="left"
    )
    both = [
        kept.with_columns(is_revised=pl.lit(value=False)),
        latest.with_columns(is_revised=pl.lit(value=True)),
    ]
    return pl.concat(both)
