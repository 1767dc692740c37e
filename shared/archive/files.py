"""Where recorded entries lie, and how files come and go so that a crash leaves no doubt.

``<folder>/<namespace>/topic=candle_closed/month=2026-11/003_<after>_<up to>.parquet`` holds what
partition 3 wrote to the topic after the first entry id up to the second, as far as it happened in
that month. Such a *piece* is whole for its stretch: where two overlap, either may be taken.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shared.archive.columns import WRITTEN, after, topic_schema, up_to
from shared.bus.log import order

_LEVEL = 3
_GROUP_ROWS = 20_000


class ArchiveError(Exception):
    """The archive cannot be used; the message names the file and the mend."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file: a partition's entries after ``start`` up to ``end``."""

    path: Path
    partition: int
    start: str
    end: str

    @property
    def month(self) -> str:
        """The month that all of it happened in."""
        return self.path.parent.name.removeprefix("month=")


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be read of a piece: its rows after ``start``."""

    piece: Piece
    start: str


class Disk:
    """Changes of the file system, each of which happens as a whole or not at all."""

    def publish(self, path: Path, write: Callable[[Path], None]) -> None:
        """Put a file in its place once all of it is on the disk.

        Raises:
            OSError: the disk is full, or may not be written to.
        """
        _make(path.parent)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            write(aside)
            _sync(aside)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        _sync(path.parent)

    def unfinished(self, folder: Path, start: str) -> list[Path]:
        """What a process that is gone was writing in a folder, of names that begin like this."""
        return sorted(folder.glob(f".{start}*"))

    def remove(self, path: Path) -> None:
        """Take a file away; it may be gone already."""
        path.unlink(missing_ok=True)

    def set_aside(self, path: Path, place: Path) -> None:
        """Move a file to where nobody reads it."""
        _make(place.parent)
        path.replace(place)


class Shelf:
    """All pieces of one namespace."""

    def __init__(self, archive: Path, namespace: str, disk: Disk | None = None) -> None:
        self.folder = archive / namespace
        self.disk = Disk() if disk is None else disk

    def months(self, topic: str) -> list[str]:
        """The months of which anything is kept, in order."""
        return sorted(_names(self.folder / f"topic={topic}", "month="))

    def pieces(
        self, topic: str, months: Iterable[str], partition: int | None = None
    ) -> list[Piece]:
        """The pieces of these months, of one partition or all of them, whether overlapping or not.

        Raises:
            ArchiveError: a file there is none of ours.
        """
        found: list[Piece] = []
        for month in months:
            for path in _files(self.folder / f"topic={topic}" / f"month={month}"):
                piece = _piece(path)
                if partition in (None, piece.partition):
                    found.append(piece)
        return found

    def path(self, topic: str, month: str, piece: tuple[int, str, str]) -> Path:
        """Where a piece of that partition, start and end belongs."""
        partition, start, end = piece
        name = f"{partition:03d}_{start}_{end}.parquet"
        return self.folder / f"topic={topic}" / f"month={month}" / name

    def publish(self, path: Path, topic: str, rows: pl.DataFrame) -> None:
        """Write a piece, ordered by symbol, so that one symbol's rows lie together."""
        by = [name for name in ("symbol", "timeframe", *WRITTEN) if name in topic_schema(topic)]
        ordered = rows.sort(by)

        def write(aside: Path) -> None:
            ordered.write_parquet(
                aside, compression="zstd", compression_level=_LEVEL, row_group_size=_GROUP_ROWS
            )

        self.disk.publish(path, write)


def resolved(pieces: Iterable[Piece]) -> list[Part]:
    """What to read of pieces of one topic, so that each entry is read once."""
    found: list[Part] = []
    lanes: dict[tuple[str, int], list[Piece]] = {}
    for piece in pieces:
        lanes.setdefault((piece.month, piece.partition), []).append(piece)
    for lane in lanes.values():
        reached = "0-0"
        for piece in sorted(lane, key=lambda one: (order(one.start), _backwards(one.end))):
            if order(piece.end) > order(reached):
                found.append(Part(piece, max(piece.start, reached, key=order)))
                reached = piece.end
    return found


def rows_of(topic: str, parts: Sequence[Part], ends: Mapping[int, str]) -> pl.LazyFrame:
    """A lazy table of parts, each partition's up to its end."""
    whole, cut = [], []
    for part in parts:
        piece = part.piece
        end = ends.get(piece.partition)
        if end is not None and order(part.start) >= order(end):
            continue
        is_long = end is not None and order(piece.end) > order(end)
        if part.start == piece.start and not is_long:
            whole.append(piece.path)
        else:
            rows = scan(topic, [piece.path]).filter(after(part.start))
            cut.append(rows if end is None else rows.filter(up_to(end)))
    return pl.concat([scan(topic, whole), *cut])


def scan(topic: str, paths: Sequence[Path]) -> pl.LazyFrame:
    """Pieces of a topic as one lazy table; columns that came later are null in older pieces."""
    schema = dict(topic_schema(topic))
    if not paths:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(
        list(paths),
        schema=schema,
        hive_partitioning=False,
        missing_columns="insert",
        extra_columns="ignore",
    )


def _backwards(entry: str) -> tuple[int, int]:
    ms, n = order(entry)
    return -ms, -n


def _names(folder: Path, prefix: str) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        return [one.name.removeprefix(prefix) for one in found if one.name.startswith(prefix)]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        return [Path(one.path) for one in found if not one.name.startswith(".")]


def _piece(path: Path) -> Piece:
    words = path.name.removesuffix(".parquet").split("_")
    try:
        partition, start, end = words
        order(start), order(end)
        return Piece(path, int(partition), start, end)
    except ValueError:
        raise ArchiveError(
            f"{path} is no file of an archive; move it away, or choose another TIDELINE_ARCHIVE_DIR"
        ) from None


def _make(folder: Path) -> None:
    """Make a folder that a power cut does not take back."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
