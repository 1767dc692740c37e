"""Pieces of a partition that go or are merged, in steps that may be cut short anywhere."""

from collections.abc import Sequence

from shared.archive.columns import up_to
from shared.archive.files import Part, Piece, Shelf, resolved, rows_of
from shared.archive.places import Mark
from shared.bus.log import order

# Larger ones stay as they are: merging them would need much memory and win nothing.
_BYTES_MAX = 16_000_000

Place = tuple[str, str]
"""A topic and a month."""


def beyond(shelf: Shelf, place: Place, partition: int, mark: Mark, lost: bool) -> None:
    """Cut a month's pieces off at the mark.

    What lies beyond goes: set aside if it was ``lost`` by the log, else removed, for the log still
    has it.
    """
    topic, month = place
    folder = shelf.path(topic, month, (partition, "", "")).parent
    for path in shelf.disk.unfinished(folder, f"{partition:03d}_"):
        shelf.disk.remove(path)
    for piece in shelf.pieces(topic, [month], partition):
        if order(piece.end) <= order(mark.entry):
            continue
        if order(piece.start) < order(mark.entry):
            rows = rows_of(topic, [Part(piece, piece.start)], {}).filter(up_to(mark.entry))
            span = partition, piece.start, mark.entry
            shelf.publish(shelf.path(topic, month, span), topic, rows.collect())
        if lost:
            shelf.disk.set_aside(
                piece.path, shelf.folder / "lost" / piece.path.relative_to(shelf.folder)
            )
        else:
            shelf.disk.remove(piece.path)


def compact(shelf: Shelf, place: Place, partition: int, most: int) -> None:
    """Merge a month's pieces once there are more than ``most``.

    The merged ones stay until the next time, for whoever is reading them; nobody finds them again.
    """
    topic, month = place
    pieces = shelf.pieces(topic, [month], partition)
    if len(pieces) <= most:
        return
    parts = resolved(pieces)
    wanted = {part.piece for part in parts}
    for piece in pieces:
        if piece not in wanted:
            shelf.disk.remove(piece.path)
    for group in _groups(parts):
        if len(group) > 1:
            span = partition, group[0].piece.start, group[-1].piece.end
            merged = rows_of(topic, group, {}).collect()
            shelf.publish(shelf.path(topic, month, span), topic, merged)


def _groups(parts: Sequence[Part]) -> list[list[Part]]:
    """Neighbours that are small enough to be one."""
    found: list[list[Part]] = []
    size = 0
    for part in parts:
        bytes_ = _bytes(part.piece)
        if not found or size + bytes_ > _BYTES_MAX:
            found.append([])
            size = 0
        found[-1].append(part)
        size += bytes_
    return found


def _bytes(piece: Piece) -> int:
    return piece.path.stat().st_size
