"""What a service does for the log beside its stages: trims, shows progress, measures, tells."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NoReturn

import structlog
from redis.exceptions import RedisError

from shared.bus.accounts import Accounts
from shared.bus.backpressure import Backpressure
from shared.bus.mirror import Mirror
from shared.bus.readers import Readers, ReaderState
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.retention import STAGE_OUTPUTS
from shared.bus.session import SessionWorker
from shared.bus.stage_worker import StageWorker
from shared.bus.topics import StageName, Topic
from shared.bus.trimming import Loss, Trimmer
from shared.events.ops import OpsKind
from shared.health import WAIT_ALARM_S
from shared.telemetry.metrics import MetricName, Row

log = structlog.get_logger(__name__)

Worker = StageWorker | SessionWorker
Announce = Callable[[OpsKind, str], Awaitable[None]]

# Redis' own tools and KEDA poll every few seconds.
_MEASURE_EVERY_S = 3.0
# Trimming looks at every partition's sizes; topics grow slowly against their bounds.
_TRIM_EVERY_S = 10.0


class Upkeep:
    """Looks after the partitions that this process's stages own."""

    def __init__(self, log_: RedisLog, worker: str, announce: Announce) -> None:
        self.workers: list[Worker] = []
        self._pressures: dict[Topic, Backpressure] = {}
        self._reads = RedisReads(log_.redis, log_.keys)
        self._worker = worker
        self._mirror = Mirror(log_.redis, log_.keys)
        self._accounts = Accounts(log_.redis, log_.keys)
        self._trimmer = Trimmer(log_.redis, log_.keys)
        self._readers = Readers(log_.redis, log_.keys)
        self._announce = announce
        self._reader_states: list[ReaderState] = []

    def pressure(self, topic: Topic) -> Backpressure:
        """How far the stages that read a topic are behind; the same each time it is asked for."""
        return self._pressures.setdefault(topic, Backpressure(self._reads, topic))

    async def run(self) -> NoReturn:
        """Do all of it, each in its own time; a log that is away is asked again later."""
        looking = [one.run() for one in self._pressures.values()]
        await asyncio.gather(
            _again(self.measure, _MEASURE_EVERY_S), _again(self.trim, _TRIM_EVERY_S), *looking
        )
        raise AssertionError("upkeep never ends by itself")

    async def measure(self) -> None:
        """See how far stages and readers are, and show it to whoever looks at Redis.

        Raises:
            RedisError: the server did not answer, or refused.
        """
        states = []
        for worker in self.workers:
            stage, owned = worker.progress.stage, sorted(worker.partitions)
            await self._tell_loss(stage, await self._mirror.show(stage, owned))
            await self._accounts.leave(self._worker, worker.progress)
            worker.progress.lags = await self._reads.partition_lags(stage, owned)
            states += await self._readers.states(STAGE_OUTPUTS[stage], owned)
        self._reader_states = states

    async def trim(self) -> None:
        """Cut what the stages write; whoever lost something by it is named.

        Raises:
            RedisError: the server did not answer, or refused.
        """
        for worker in self.workers:
            losses = await self._trimmer.trim(worker.progress.stage, sorted(worker.partitions))
            for reader, topic in dict.fromkeys((one.reader, one.topic) for one in losses):
                lost = sum(o.entries for o in losses if (o.reader, o.topic) == (reader, topic))
                told = f"reader {reader} was too far behind and lost {lost} entries of {topic}"
                log.warning("data_lost", reason=told)
                await self._announce("data_lost", told)

    def complaints(self) -> list[str]:
        """Which stages hold ours back and do not move on."""
        return [
            f"{topic} is held back in partition {at}: stage {slowest.stage} is "
            f"{slowest.behind} entries behind and does not move on; is it running?"
            for topic, pressure in self._pressures.items()
            for at, slowest in list(pressure.stuck(WAIT_ALARM_S).items())[:1]
        ]

    def stuck_topics(self) -> list[str]:
        """For each topic held back, by which stage that does not move on."""
        return [
            f"{topic} for stage {stage}"
            for topic, pressure in self._pressures.items()
            for stage in sorted({one.stage for one in pressure.stuck(WAIT_ALARM_S).values()})
        ]

    def metrics(self) -> Iterator[tuple[MetricName, Iterable[Row]]]:
        """What Prometheus is told of readers, and of stages held back."""
        held = [
            ((worker.progress.stage,), _held(self._pressures, worker)) for worker in self.workers
        ]
        yield "tideline_stage_held_partitions", held
        states = [((one.reader, one.topic), one) for one in self._reader_states]
        yield "tideline_reader_behind_entries", [(labels, one.behind) for labels, one in states]
        yield (
            "tideline_reader_expelled_partitions",
            [(labels, len(one.expelled)) for labels, one in states],
        )
        yield "tideline_reader_lost_entries", [(labels, one.lost) for labels, one in states]

    async def _tell_loss(self, stage: StageName, losses: Sequence[Loss]) -> None:
        lost = sum(one.entries for one in losses)
        if lost:
            told = f"stage {stage} lost {lost} entries, trimmed before it read them"
            log.error("data_lost", reason=told)
            await self._announce("data_lost", told)


def _held(pressures: dict[Topic, Backpressure], worker: Worker) -> int:
    partitions: Sequence[int] = worker.partitions
    return sum(
        any(
            pressures[topic].holds(one)
            for topic in STAGE_OUTPUTS[worker.progress.stage]
            if topic in pressures
        )
        for one in partitions
    )


async def _again(act: Callable[[], Awaitable[None]], every_s: float) -> NoReturn:
    while True:
        await asyncio.sleep(every_s)
        try:
            await act()
        except RedisError as error:
            log.warning("upkeep_waits", reason=str(error))
