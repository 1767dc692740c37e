"""What the runtime costs: against reading alone, and against Bytewax folding the same ticks.

Figures are ticks per second of the processor, the server's own seconds included: a machine that is
busy with other things changes them little. Both sides of a ratio run by turns; the best counts.
"""

import asyncio
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import Any

from pydantic import TypeAdapter

from benchmarks.load_feed import Load
from benchmarks.results import Goal, Row, absent, against
from benchmarks.server import Scratch, scratch
from benchmarks.spines import fill, spines
from services.ingest.domain.candles import CANDLES
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import StageWorker
from shared.bus.step import StageSpec
from shared.clock import SystemClock
from shared.events import Event, Tick
from shared.events.ticks import Ticks
from shared.service.collector import calm_collector

TICKS, QUICK_TICKS = 200_000, 40_000
REPEATS = 3
KEYS = Keys("bench")
# Where ``make bench`` has put Bytewax, away from the project's own environment.
BYTEWAX = Path(__file__).parents[1] / "build" / "bench"


class Noop:
    """A step that does nothing but count."""

    def __init__(self) -> None:
        self.seen = 0

    def process(self, events: Sequence[Event]) -> list[Event]:
        self.seen += len(events)
        return []

    def ticks(self, run: Ticks) -> list[Event]:
        self.seen += len(run)
        return []

    def changes(self) -> dict[str, str]:
        return {}


def rows(quick: bool) -> list[Row]:
    """The figures."""
    ticks = QUICK_TICKS if quick else TICKS
    return [_noop(ticks), _candles(ticks)]


def _noop(ticks: int) -> Row:
    with scratch() as server:
        only_ticks: dict[int, list[Event]] = {
            partition: [event for event in events if isinstance(event, Tick)]
            for partition, events in spines(Load(0), ticks, KEYS.partitions).items()
        }
        with server.client() as client:
            fill(client, KEYS, only_ticks)
        only_ticks.clear()
        ours, raw = [], []
        for _ in range(REPEATS):
            ours.append(_cost(server, lambda: _through_runtime(server, ticks, None)))
            raw.append(_cost(server, lambda: _raw(server, ticks)))
    unit = "ticks per s of processor, server's included; anchor: XREAD + pydantic"
    return against(
        "runtime_noop_vs_raw", ticks / min(ours), unit, ticks / min(raw), Goal(0.8)
    )  # fmt: skip


def _candles(ticks: int) -> Row:
    with scratch() as server:
        with server.client() as client:
            entries = fill(client, KEYS, spines(Load(0), ticks, KEYS.partitions))
        ours, theirs = [], list[float]()
        for _ in range(REPEATS):
            ours.append(_cost(server, lambda: _through_runtime(server, entries, CANDLES)))
            found = _bytewax(ticks)
            if isinstance(found, str):
                return absent("candles_vs_bytewax", found)
            theirs.append(found)
    unit = "ticks per s of processor to 1m..1d candles, committed; anchor: Bytewax, 1m, in memory"
    return against(
        "candles_vs_bytewax", ticks / min(ours), unit, ticks / min(theirs), Goal(1.0)
    )  # fmt: skip


def _cost(server: Scratch, run: Callable[[], None]) -> float:
    # As in every service.
    gc.collect()
    calm_collector()
    before = process_time() + server.cpu_s()
    run()
    return process_time() + server.cpu_s() - before


def _through_runtime(server: Scratch, entries: int, spec: StageSpec | None) -> None:
    with server.client() as client:
        for partition in range(KEYS.partitions):
            client.delete(
                KEYS.checkpoint(partition, "candles"),
                KEYS.state(partition, "candles"),
                KEYS.lease(partition, "candles"),
                KEYS.topic(partition, "candle_closed"),
            )
    asyncio.run(_work(server.url, entries, spec))


async def _work(url: str, entries: int, spec: StageSpec | None) -> None:
    log, counted = RedisLog(url, KEYS), [0]

    def restore(state: Mapping[str, str]) -> Any:
        return _Counted(Noop() if spec is None else spec.restore(state), counted)

    worker = StageWorker(
        log, StageSpec("candles", "tick", "candle_closed", restore), "bench", SystemClock()
    )
    try:
        while counted[0] < entries:
            await worker.turn()
    finally:
        await log.close()


class _Counted:
    """A step with a counter around it."""

    def __init__(self, step: Any, counted: list[int]) -> None:
        self._step = step
        self._counted = counted
        self.changes = step.changes

    def process(self, events: Sequence[Event]) -> list[Event]:
        self._counted[0] += len(events)
        found: list[Event] = self._step.process(events)
        return found

    def ticks(self, run: Ticks) -> list[Event]:
        """As the step's."""
        self._counted[0] += len(run)
        found: list[Event] = self._step.ticks(run)
        return found

    def views(self) -> dict[str, str]:
        """As the step's."""
        return self._step.views() if hasattr(self._step, "views") else {}


def _raw(server: Scratch, ticks: int) -> None:
    adapter = TypeAdapter(list[Tick])
    seen = 0
    with server.client() as client:
        offsets = {KEYS.topic(partition, "tick"): "0-0" for partition in range(KEYS.partitions)}
        while seen < ticks:
            reply: Any = client.xread(dict(offsets), count=500)
            for key, entries in reply:
                offsets[key] = entries[-1][0]
                seen += len(adapter.validate_python([row for _, row in entries], extra="ignore"))


def _bytewax(ticks: int) -> float | str:
    """Seconds of the processor, or why there are none."""
    if not (BYTEWAX / "bytewax").is_dir():
        return "Bytewax could not be installed; make bench says why (it is for Python up to 3.12)"
    path = os.pathsep.join([str(BYTEWAX), str(Path(__file__).parents[1])])
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bytewax_candles", str(ticks)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if run.returncode != 0:
        return f"Bytewax failed: {run.stderr.strip()[-200:]}"
    return float(json.loads(run.stdout)["cpu_s"])
