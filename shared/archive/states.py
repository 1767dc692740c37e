"""Every stage's state as it was at a day's beginning, so that a replay can start in mid-history.

``<folder>/<namespace>/states/day=2026-11-20/003.parquet`` holds what all stages of partition 3 had
committed when the recorder met the first heartbeat of that day: each one's checkpoint, with the
offsets that its state belongs to, and its state, a row a field.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from shared.archive.files import Shelf

_SCHEMA: Mapping[str, pl.DataType] = {
    "stage": pl.String(),
    "part": pl.String(),
    "name": pl.String(),
    "text": pl.String(),
}
_PARTS = ("checkpoint", "state")

Saved = Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]]
"""Checkpoint and state of each stage."""


def keep_states(shelf: Shelf, partition: int, day: str, saved: Saved) -> None:
    """Keep the states of a partition's stages on a day (``2026-11-20``).

    Raises:
        OSError: the disk is full, or may not be written to.
    """
    rows = [
        (stage, part, name, text)
        for stage, both in saved.items()
        for part, fields in zip(_PARTS, both, strict=True)
        for name, text in fields.items()
    ]
    table = pl.DataFrame(rows, schema=dict(_SCHEMA), orient="row")
    shelf.disk.publish(
        _path(shelf, partition, day), lambda aside: table.write_parquet(aside, compression="zstd")
    )


def state_days(shelf: Shelf, partition: int) -> list[str]:
    """The days of which a partition's states are kept, in order."""
    found = (shelf.folder / "states").glob(f"day=*/{partition:03d}.parquet")
    return sorted(path.parent.name.removeprefix("day=") for path in found)


def states(shelf: Shelf, partition: int, day: str) -> dict[str, tuple[dict[str, str], ...]]:
    """Checkpoint and state of each stage as they were kept on a day.

    Raises:
        FileNotFoundError: nothing was kept on that day.
    """
    kept: dict[str, tuple[dict[str, str], ...]] = {}
    for stage, part, name, text in pl.read_parquet(_path(shelf, partition, day)).iter_rows():
        both = kept.setdefault(stage, ({}, {}))
        both[_PARTS.index(part)][name] = text
    return kept


def _path(shelf: Shelf, partition: int, day: str) -> Path:
    return shelf.folder / "states" / f"day={day}" / f"{partition:03d}.parquet"
