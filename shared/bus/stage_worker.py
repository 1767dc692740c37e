"""Drives one stage over all the partitions that this worker owns: read, decide, commit."""

import asyncio
from dataclasses import dataclass
from math import inf

import structlog

from shared.bus.backpressure import Backpressure
from shared.bus.decide import Decider
from shared.bus.log import Commit, Log
from shared.bus.owner import Owner
from shared.bus.progress import Progress
from shared.bus.share import TooManyDead
from shared.bus.step import StageSpec
from shared.clock import Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Batch sizes and waits of a stage's loop, with why they are what they are."""

    # Entries decided in one commit: large enough to spread a round trip's cost, small enough that
    # the server is never held for more than about a millisecond.
    batch: int = 500
    # Entries read ahead a topic; a stage that waits for another holds no more than this.
    ahead: int = 2_000
    # Longest blocking read. A lease gained or a stop asked for is noticed this late at most.
    block_ms: int = 100
    # How long decisions may stand uncommitted from which nothing followed: nobody waits for them,
    # and whoever takes over decides them again. One commit then carries many reads.
    hold_s: float = 0.05
    # How often what is only shown is written: faster than the eye needs, slower than ticks.
    views_s: float = 0.25


class StageWorker:
    """The loop of one stage in one process, held back by ``pressure`` where there is any."""

    def __init__(
        self,
        log_: Log,
        spec: StageSpec,
        worker: str,
        clock: Clock,
        pressure: Backpressure | None = None,
    ) -> None:
        self.spec = spec
        self.progress = Progress(spec.name)
        self.pace = Pace()
        self._log = log_
        self._clock = clock
        self._pressure = pressure
        self._owner = Owner(log_, spec.name, worker, clock)
        self._deciders: dict[int, Decider] = {}
        self._views_at = 0.0
        self._held_since = -inf
        self._stopping = False

    @property
    def partitions(self) -> list[int]:
        """The partitions owned now."""
        return list(self._deciders)

    def stop(self) -> None:
        """End ``run`` after the commit under way."""
        self._stopping = True

    async def run(self) -> None:
        """Work until told to stop, then give every partition back."""
        try:
            while not self._stopping:
                await self.turn()
        except TooManyDead as stop:
            self.progress.stopped = str(stop)
            raise
        finally:
            await self._owner.leave()

    async def turn(self) -> None:
        """One round: settle who owns what, read, decide, commit."""
        await self._follow_ownership()
        offsets = {
            (partition, topic): offset
            for partition, decider in self._deciders.items()
            for topic, offset in decider.wants(self.pace.ahead).items()
        }
        block_ms = 0 if self._more_to_decide() else self._idle_ms()
        if not offsets:  # nothing to wait for in a read
            await asyncio.sleep(block_ms / 1000)
        for (partition, topic), entries in (
            await self._log.read(offsets, count=self.pace.batch, block_ms=block_ms)
        ).items():
            self._deciders[partition].offer(topic, entries)
        await self._decide()
        self.progress.turned(self._clock.elapsed(), self._waits())

    async def _follow_ownership(self) -> None:
        change = await self._owner.settle()
        self.progress.moved([lease.partition for lease in change.gained], change.lost)
        for partition in change.lost:
            self._deciders.pop(partition, None)
        for lease in change.gained:
            self._deciders[lease.partition] = Decider(self.spec, lease)
        self.progress.owned = len(self._deciders)

    def _more_to_decide(self) -> bool:
        return any(decider.ready and self._has_room(decider) for decider in self._deciders.values())

    def _idle_ms(self) -> int:
        """How long nothing has to be done unless something is written."""
        if not any(decider.holds for decider in self._deciders.values()):
            return self.pace.block_ms
        left_s = self._held_since + self.pace.hold_s - self._clock.elapsed()
        return min(self.pace.block_ms, max(1, round(left_s * 1000)))

    def _has_room(self, decider: Decider) -> bool:
        """Whether the stages that read what it writes are near enough."""
        return self._pressure is None or not self._pressure.holds(decider.lease.partition)

    def _waits(self) -> dict[int, int]:
        return {
            partition: decider.waits_for
            for partition, decider in self._deciders.items()
            if decider.waits_for is not None
        }

    async def _decide(self) -> None:
        now = self._clock.elapsed()
        views = now - self._views_at >= self.pace.views_s
        if views:
            self._views_at = now
        hold = now - self._held_since < self.pace.hold_s
        if not hold:
            self._held_since = now
        commits = [
            commit
            for decider in self._deciders.values()
            if self._has_room(decider)
            and (commit := decider.plan(self.pace.batch, views, hold)) is not None
        ]
        if commits:
            await self._commit(commits)

    async def _commit(self, commits: list[Commit]) -> None:
        verdicts = await self._log.commit(commits)
        for commit, verdict in zip(commits, verdicts, strict=True):
            self.progress.committed(verdict, commit)
            decider = self._deciders[commit.partition]
            if verdict in ("OK", "DUP"):
                decider.settle()
                self._owner.committed(decider.lease)
            else:
                log.warning(
                    "commit_rejected",
                    stage=self.spec.name,
                    partition=commit.partition,
                    verdict=verdict,
                )
                del self._deciders[commit.partition]
                self.progress.moved((), [commit.partition])
                self._owner.forget(decider.lease)
