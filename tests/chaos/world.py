"""One run: a market, the processes, what goes wrong with them, and the judgement."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.bus.topics import STAGES, Topic
from shared.events.codec import Decoded
from shared.market.timeframes import LENGTH_US
from shared.telemetry.logs import configure
from tests.chaos.faults import Fault, Kind
from tests.chaos.judge import READ, TOPICS, Judge, events_of
from tests.chaos.outsider import Outsider
from tests.chaos.recording import Recording, record
from tests.chaos.site import KEYS, PARTITIONS, Site
from tests.chaos.strikes import Strikes
from tests.chaos.worker import preload

_START_S = 120.0
# However busy the machine is, a chain that is not stuck does something in this time.
_STUCK_S = 60.0
_LOOK_S = 0.05
_QUIET_LOOKS = 3
_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run; ``lost`` is how many entries failovers took back."""

    violations: list[str]
    compared: Counter[str]
    happened: Counter[Kind]
    lost: int
    seconds: float


def prepare() -> None:
    """Once in a process: what its readers wait for is no news, and forking takes no imports."""
    configure("error", "console")
    preload()


def run(seed: int, faults: Sequence[Fault], keep: bool) -> Outcome:
    """Play one market under a schedule, in a folder that is removed unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="tideline-chaos-"))
    try:
        recording = record(folder / "market.csv", seed)
        return asyncio.run(_run(folder, recording, faults))
    finally:
        if not keep:
            shutil.rmtree(folder)


async def _run(folder: Path, recording: Recording, faults: Sequence[Fault]) -> Outcome:
    loop = asyncio.get_running_loop()
    began = loop.time()
    site = Site(folder, recording)
    strikes = Strikes(site)
    troubles: list[str] = []
    try:
        await site.open(with_replica=any(one.kind == "replica_promoted" for one in faults))
        outsider = Outsider(site.reader_door, KEYS)
        await _until_it_runs(site)
        await strikes.run(faults)
        troubles += await _healed(site, recording)
        await outsider.close()
        held = [await _held(site, partition) for partition in range(PARTITIONS)]
    finally:
        await site.close()
    happened = strikes.happened
    rolled_back = strikes.lost > 0
    judge = Judge(recording, PARTITIONS, rolled_back)
    troubles += [one for worker in site.workers for one in worker.troubles]
    troubles += judge.violations(held)
    troubles += judge.deliveries(folder)
    troubles += outsider.violations([{t: events_of(e) for t, e in one.items()} for one in held])
    troubles += [f"nothing was compared of {t}" for t in TOPICS if not judge.compared[t]]
    return Outcome(troubles, judge.compared, happened, strikes.lost, loop.time() - began)


async def _until_it_runs(site: Site) -> None:
    """Faults begin once there are prices."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not any(size.added for size in await site.reads.sizes("tick")):
        if loop.time() - began > _START_S:
            raise TimeoutError(f"no price after {_START_S} s; the logs are in {site.folder}")
        await asyncio.sleep(_LOOK_S)


async def _healed(site: Site, recording: Recording) -> list[str]:
    """Let everything run again and wait until all is done; what hindered it."""
    loop = asyncio.get_running_loop()
    # Time follows the recording's last row, so that its last candles close.
    end = recording.rows[-1][0] + LENGTH_US["1d"]
    moved_at, quiet, before = loop.time(), 0, None
    while quiet < _QUIET_LOOKS:
        await asyncio.sleep(_LOOK_S)
        site.start_all()
        left, reached = await _left(site), await _reached(site)
        if (left, reached) != before:
            moved_at, before = loop.time(), (left, reached)
        if loop.time() - moved_at > _STUCK_S:
            return [f"nothing has moved for {_STUCK_S} s after the last fault: {left}"]
        quiet = quiet + 1 if min(reached) >= end and not left else 0
    return []


async def _reached(site: Site) -> list[int]:
    """The event time that each partition's spine has come to."""
    newest = [await site.reads.recent(one, "tick", 1) for one in range(PARTITIONS)]
    return [getattr(one[0][1], "at", 0) if one else 0 for one in newest]


async def _left(site: Site) -> dict[str, int]:
    """Entries that stages have not read, and alerts that wait, by stage."""
    left = {}
    for stage in STAGES:
        rows = [row for rows in (await site.reads.lag(stage)).values() for row in rows]
        left[stage] = sum(row.behind + row.lost for row in rows)
    return {stage: behind for stage, behind in left.items() if behind}


async def _held(site: Site, partition: int) -> dict[Topic, list[Decoded]]:
    """Everything that one partition's topics hold."""
    found: dict[Topic, list[Decoded]] = {}
    for topic in READ:
        page = entries = await site.reads.span(partition, topic, "-", "+", _PAGE)
        while len(page) == _PAGE:
            page = await site.reads.span(partition, topic, f"({page[-1][0]}", "+", _PAGE)
            entries += page
        found[topic] = entries
    return found
