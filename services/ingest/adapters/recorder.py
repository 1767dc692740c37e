"""Keeps what is said on the log: records the partitions that this worker owns."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NoReturn

import polars as pl
import structlog
from redis.exceptions import RedisError

from services.ingest.adapters.recorder_partition import SIZES, Occupied, PartitionRecorder
from services.ingest.adapters.recorder_redis import RecorderRedis
from shared.archive.files import ArchiveError, Shelf
from shared.archive.live import Live
from shared.bus.log import BusError
from shared.telemetry.metrics import MetricName, Row

log = structlog.get_logger(__name__)

# How often it is looked whether anything is to be done.
_LOOK_S = 1.0
# A failure is tried again this much later: disks get full, and mended, in minutes.
_AGAIN_S = 10.0
# A partition whose spine has grown by so much is recorded at once.
_MUCH = SIZES.most // 2

_FAILURES = (OSError, ArchiveError, BusError, RedisError, pl.exceptions.PolarsError)


class Recorder:
    """Records each partition of ``owned`` every ``every_s`` seconds, sooner where much comes.

    Whatever goes wrong is logged, counted and tried again; the log keeps what is not recorded, up
    to what it keeps for any reader.
    """

    def __init__(
        self,
        shelf: Shelf,
        live: Live,
        redis: RecorderRedis,
        owned: Callable[[], Collection[int]],
        every_s: float,
    ) -> None:
        self._shelf = shelf
        self._live = live
        self._redis = redis
        self._owned = owned
        self._every_s = every_s
        self._is_registered = False
        self._held: dict[int, PartitionRecorder] = {}
        self._next_s: dict[int, float] = {}
        self._written: dict[int, int] = {}
        self._counts: Counter[str] = Counter()
        self._failures = 0

    async def run(self) -> NoReturn:
        """Record until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(min(_LOOK_S, self._every_s))
        finally:
            self.close()

    async def look(self) -> None:
        """Record what is due."""
        owned = sorted(self._owned())
        for partition in self._held.keys() - set(owned):
            self._drop(partition)
        try:
            if not self._is_registered:
                await self._redis.register()
                self._is_registered = True
            written = await self._redis.written(owned)
        except (RedisError, OSError) as error:
            log.warning("recorder_waits", reason=str(error))
            return
        for partition in owned:
            grown = written[partition] - self._written.get(partition, 0)
            if _now() >= self._next_s.get(partition, 0.0) or grown >= _MUCH:
                await self._record(partition)
                self._written[partition] = written[partition]

    def close(self) -> None:
        """Let others record what this worker did."""
        for partition in list(self._held):
            self._drop(partition)

    def metrics(self) -> Iterator[tuple[MetricName, Iterable[Row]]]:
        """What Prometheus is told."""
        counts = [((topic,), count) for topic, count in self._counts.items()]
        yield "tideline_recorder_entries_total", counts
        yield "tideline_recorder_failures_total", [((), self._failures)]

    async def _record(self, partition: int) -> None:
        pause_s = self._every_s
        try:
            await self._catch_up(await self._hold(partition))
        except Occupied:
            # Its former owner is still at the last pieces, or stands still with them in its hands.
            pause_s = min(_LOOK_S, self._every_s)
        except _FAILURES as error:
            self._failures += 1
            self._drop(partition)
            pause_s = min(_AGAIN_S, self._every_s)
            log.warning("recording_failed", partition=partition, reason=str(error))
        self._next_s[partition] = _now() + pause_s

    async def _catch_up(self, held: PartitionRecorder) -> None:
        while recorded := await held.record():
            self._counts.update(recorded)
            ends = {topic: held.place.mark(topic).entry for topic in recorded}
            await self._redis.show(held.partition, ends)
            if max(recorded.values()) < SIZES.most:
                return

    async def _hold(self, partition: int) -> PartitionRecorder:
        if partition not in self._held:
            made = PartitionRecorder(self._shelf, self._live, partition, self._redis.states)
            self._held[partition] = made
            await made.open()
        return self._held[partition]

    def _drop(self, partition: int) -> None:
        held = self._held.pop(partition, None)
        if held is not None:
            held.close()
        self._next_s.pop(partition, None)


def _now() -> float:
    return asyncio.get_running_loop().time()
