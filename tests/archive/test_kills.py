"""Whatever is killed whenever: what is read is what the log held, each entry once, in order."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.ingest.adapters.recorder_partition import PartitionRecorder, Sizes
from shared.archive.files import Shelf
from shared.archive.reader import Archive
from shared.archive.states import Saved
from shared.events.codec import decode
from tests.archive.fakes import MINUTE, Died, KnownLog, MortalDisk, beat, candle, tick

# Times at which things happen: three months, and the turn of one.
TIMES = [0, 40 * 1440 * MINUTE, 31 * 1440 * MINUTE - MINUTE, 31 * 1440 * MINUTE, 70 * 1440 * MINUTE]

SIZES = [Sizes(2, 3, 4, 1), Sizes(5, 5, 20, 3), Sizes()]

writes = st.tuples(
    st.just("write"),
    st.lists(
        st.tuples(
            st.sampled_from(["tick", "beat", "candle", "foreign"]),
            st.sampled_from(TIMES),
            st.sampled_from([0, 1, 900, 50_000]),
        ),
        min_size=1,
        max_size=12,
    ),
)
steps = st.one_of(
    writes,
    writes,
    st.tuples(st.just("record"), st.none()),
    st.tuples(st.just("record"), st.none()),
    st.tuples(st.just("killed"), st.integers(0, 12)),
    st.tuples(st.just("rolled back"), st.sampled_from([1, 1_000, 70_000, 400_000])),
    st.tuples(st.just("trimmed"), st.none()),
    st.tuples(st.just("restarted"), st.none()),
)


# Found once: all that was recorded and not trimmed is lost, and what was trimmed is not.
GONE_UP_TO_WHAT_WAS_TRIMMED: list[tuple[str, Any]] = [
    ("write", [("tick", 0, 0), ("tick", 0, 0), ("tick", 0, 900)]),
    ("record", None),
    ("rolled back", 1),
    ("trimmed", None),
]


class World:
    """A log, its recorder, and whoever reads."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.sizes = sizes
        self.log = KnownLog()
        self.disk = MortalDisk()
        self.shelf = Shelf(folder, "test", self.disk)
        self.recorder: PartitionRecorder | None = None
        self.shown: dict[str, str] = {}
        self.number = 0

    async def do(self, what: str, how: Any) -> None:
        """One step."""
        match what:
            case "write":
                for one in how:
                    self.write(*one)
            case "record":
                await self.record()
            case "killed":
                await self.kill(how)
            case "rolled back":
                self.log.roll_back(how)
                # The recorder's place as a reader lies with the stream, and goes back with it.
                self.shown = {
                    topic: self.log.newest(topic, up_to) for topic, up_to in self.shown.items()
                }
            case "trimmed":
                for topic, up_to in self.shown.items():
                    self.log.trim(topic, up_to)
            case "restarted":
                self.end()

    async def kill(self, changes: int) -> None:
        """Let the recorder die after so many changes of the disk, if it gets so far."""
        self.disk.left = changes
        try:
            await self.record()
        except Died:
            self.end()
        self.disk.left = None

    def write(self, kind: str, at: int, later_ms: int) -> None:
        self.number += 1
        topic = "candle_closed" if kind == "candle" else "tick"
        event = {"tick": tick, "beat": beat, "candle": candle}.get(kind)
        fields = (
            ["type", "mail", "n", self.number]
            if event is None
            else event(self.number, at + MINUTE).wire()
        )
        self.log.write(topic, fields, later_ms)

    async def record(self) -> None:
        if self.recorder is None:
            self.recorder = PartitionRecorder(self.shelf, self.log, 0, states, self.sizes)
            await self.recorder.open()
        while await self.recorder.record():
            pass
        self.shown = {topic: mark.entry for topic, mark in self.recorder.place.marks.items()}

    def end(self) -> None:
        if self.recorder is not None:
            self.recorder.close()
        self.recorder = None

    async def check(self) -> None:
        """What is read, by whoever comes now, against the history."""
        archive = Archive(self.shelf, 1, self.log)
        for topic in ("tick", "candle_closed"):
            found = [
                one async for batch in archive.recorded(topic, 0, 0, 2**53 - 1) for one in batch
            ]
            assert decode(found) == decode(self.log.history.get(topic, []))


async def states(partition: int) -> Saved:
    """Stages that have nothing to keep."""
    return {"candles": ({"seq": "1"}, {})}


@settings(max_examples=60, deadline=None)
@example(GONE_UP_TO_WHAT_WAS_TRIMMED, SIZES[0])
@given(
    st.lists(steps, max_size=14), st.sampled_from([Sizes(2, 3, 4, 1), Sizes(5, 5, 20, 3), Sizes()])
)
def test_reads_equal_what_the_log_held(todo: list[tuple[str, Any]], sizes: Sizes) -> None:
    """After every step, for a reader that knows nothing of what happened."""

    async def play() -> None:
        with tempfile.TemporaryDirectory(prefix="tideline-archive-") as folder:
            world = World(Path(folder), sizes)
            try:
                for what, how in todo:
                    await world.do(what, how)
                    await world.check()
            finally:
                world.end()

    asyncio.run(play())
