"""How far each partition is recorded: the one thing that makes written pieces count."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.archive.files import ArchiveError, Shelf
from shared.bus.log import START


@dataclass(frozen=True, slots=True)
class Mark:
    """The last entry recorded of a topic, and the digest of its fields."""

    entry: str
    digest: str


BEGINNING = Mark(START, "")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a partition's topics are recorded; what lies beyond does not count.

    ``state_day`` is the last day whose first state was kept.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict)
    state_day: str = ""

    def mark(self, topic: str) -> Mark:
        """The last entry recorded of a topic."""
        return self.marks.get(topic, BEGINNING)


def digest(fields: Sequence[str]) -> str:
    """Tells an entry from another that was given its id after a failover."""
    whole = b"".join(text.encode("utf-8", "replace") + b"\0" for text in fields)
    return hashlib.sha256(whole).hexdigest()[:16]


def read_place(shelf: Shelf, partition: int) -> Place:
    """How far a partition is recorded; at the beginning where it never was.

    Raises:
        ArchiveError: the file is broken.
    """
    path = _path(shelf, partition)
    try:
        told = json.loads(path.read_text("utf-8"))
        marks = {topic: Mark(*mark) for topic, mark in told["marks"].items()}
        return Place(marks, told["state_day"])
    except FileNotFoundError:
        return Place()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchiveError(
            f"{path} is broken ({error}); restore it from a backup, or move the archive away"
        ) from None


def write_place(shelf: Shelf, partition: int, place: Place) -> None:
    """Let everything up to here count, all topics at once.

    Raises:
        OSError: the disk is full, or may not be written to.
    """
    marks = {topic: [mark.entry, mark.digest] for topic, mark in place.marks.items()}
    text = json.dumps({"marks": marks, "state_day": place.state_day}, indent=1) + "\n"
    shelf.disk.publish(_path(shelf, partition), lambda aside: _write(aside, text))


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def _path(shelf: Shelf, partition: int) -> Path:
    return shelf.folder / "places" / f"{partition:03d}.json"
