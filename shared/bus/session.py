"""Stages that touch the outside world: one task a partition, committing through a session."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from shared.bus.cap import check
from shared.bus.log import START, Commit, Lease, LeaseLost, Log, order
from shared.bus.outputs import outputs_of
from shared.bus.owner import Owner
from shared.bus.progress import Progress
from shared.bus.share import FIELD, DeadShare, TooManyDead
from shared.bus.step import DEAD_SHARE
from shared.bus.tasks import end
from shared.bus.topics import StageName, Topic
from shared.clock import Clock
from shared.events.base import Event
from shared.events.codec import Decoded, decode
from shared.events.control import DeadLetter

log = structlog.get_logger(__name__)

# Ownership is looked at this often; the beat inside is slower.
_LOOK_S = 0.1
_NOTHING: Mapping[str, str] = {}
_NO_OFFSETS: Mapping[Topic, tuple[str, int]] = {}


class Session:
    """One partition of one stage, held under a lease.

    ``state`` and ``offsets`` are as of the last commit. Commits are serialised.
    """

    def __init__(
        self,
        log_: Log,
        lease: Lease,
        progress: Progress,
        renewed: Callable[[], None],
        dead_share: float = DEAD_SHARE,
    ) -> None:
        self.partition = lease.partition
        self.state = dict(lease.state)
        self.offsets = {
            name: value
            for name, value in lease.checkpoint.items()
            if name not in {"seq", "txid", FIELD} and not name.startswith("n:")
        }
        self._log = log_
        self._lease = lease
        self._progress = progress
        self._renewed = renewed
        self._seq = lease.seq
        self._edges: dict[Topic, list[str]] = {}
        self._counts = {
            name: int(value) for name, value in lease.checkpoint.items() if name.startswith("n:")
        }
        self._share = DeadShare(lease.stage, lease.partition, lease.checkpoint, dead_share)
        self._turn = asyncio.Lock()

    async def read(
        self, topic: Topic, *, after: str | None = None, block_ms: int = 0, count: int = 500
    ) -> list[Decoded]:
        """Entries after ``after`` (unless given: the committed offset), in order; none is taken."""
        at = (self.partition, topic)
        offset = self.offsets.get(topic, START) if after is None else after
        entries = (await self._log.read({at: offset}, count=count, block_ms=block_ms)).get(at, [])
        edges = self._edges.setdefault(topic, [])
        if entries and entries[-1][0] not in edges:
            edges.append(entries[-1][0])
        return decode(entries)

    async def commit(
        self,
        outputs: Sequence[Event],
        changes: Mapping[str, str] = _NOTHING,
        offsets: Mapping[Topic, tuple[str, int]] = _NO_OFFSETS,
    ) -> None:
        """Write outputs, changed state and new offsets, all or nothing.

        ``offsets`` gives per topic the last entry taken and how many were taken since the last
        commit.

        Raises:
            LeaseLost: another worker owns the partition, or the log was rolled back.
            TooManyDead: most of what was read lately would be stepped over.
            TooLarge: it is more than one commit may hold; nothing was sent.
        """
        async with self._turn:
            await self._commit(outputs, changes, offsets)

    async def _commit(
        self,
        outputs: Sequence[Event],
        changes: Mapping[str, str],
        offsets: Mapping[Topic, tuple[str, int]],
    ) -> None:
        entries = outputs_of(outputs)
        check(self._lease, entries, changes)
        counts = {
            f"n:{topic}": self._counts.get(f"n:{topic}", 0) + taken
            for topic, (_, taken) in offsets.items()
        }
        commit = Commit(
            stage=self._lease.stage,
            partition=self.partition,
            token=self._lease.token,
            seq=self._seq,
            txid=f"{self._lease.token}/{self._seq}",
            checkpoint={
                **self._counted(outputs, offsets),
                **{topic: entry for topic, (entry, _) in offsets.items()},
                **{name: str(count) for name, count in counts.items()},
            },
            state=changes,
            outputs=entries,
            rests_on=self._rests_on(offsets),
            incarnation=self._lease.incarnation,
        )
        verdict = (await self._log.commit([commit]))[0]
        self._progress.committed(verdict, commit)
        if verdict not in ("OK", "DUP"):
            raise LeaseLost(f"{self._lease.stage} partition {self.partition}: {verdict}")
        self._seq += 1
        self._counts.update(counts)
        self.offsets.update({topic: entry for topic, (entry, _) in offsets.items()})
        for name, text in changes.items():
            if text == "":
                self.state.pop(name, None)
            else:
                self.state[name] = text
        self._renewed()

    def _counted(
        self, outputs: Sequence[Event], offsets: Mapping[Topic, tuple[str, int]]
    ) -> dict[str, str]:
        """Dead letters of what was read from the log; what a provider sends is no such thing."""
        dead = [one for one in outputs if isinstance(one, DeadLetter) and one.topic in offsets]
        taken = sum(count for _, count in offsets.values())
        if not taken:
            return {}
        return self._share.take(taken, len(dead), dead[-1].reason if dead else "")

    def _rests_on(self, offsets: Mapping[Topic, tuple[str, int]]) -> list[tuple[Topic, str]]:
        """The entries taken, and the last of each portion read before them."""
        found: list[tuple[Topic, str]] = []
        for topic, (entry, _) in offsets.items():
            edges = self._edges.get(topic, [])
            found += [(topic, edge) for edge in edges if order(edge) < order(entry)]
            found.append((topic, entry))
            self._edges[topic] = [edge for edge in edges if order(edge) > order(entry)]
        return found


class SessionWorker:
    """Runs a task for every partition that this worker owns of one stage."""

    def __init__(
        self,
        log_: Log,
        stage: StageName,
        run: Callable[[Session], Awaitable[None]],
        *,
        worker: str,
        clock: Clock,
    ) -> None:
        self.progress = Progress(stage)
        # It stops where more than this share of what it takes would be dead letters.
        self.dead_share = DEAD_SHARE
        self._log = log_
        self._run = run
        self._clock = clock
        self._owner = Owner(log_, stage, worker, clock)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._stopping = False

    @property
    def partitions(self) -> list[int]:
        """The partitions owned now."""
        return list(self._tasks)

    def stop(self) -> None:
        """End ``run``: cancel the tasks between their commits and give the partitions back."""
        self._stopping = True

    async def run(self) -> None:
        """Work until told to stop.

        Raises:
            Exception: whatever a partition's task raised, except a lost lease.
        """
        try:
            while not self._stopping:
                await self._turn()
                await asyncio.sleep(_LOOK_S)
        except TooManyDead as stop:
            self.progress.stopped = str(stop)
            raise
        finally:
            await self._cancel(list(self._tasks))
            await self._owner.leave()

    async def _turn(self) -> None:
        change = await self._owner.settle(before_release=self._cancel)
        self.progress.moved([lease.partition for lease in change.gained], change.lost)
        # A partition may be lost and gained at once: its former session ends first.
        await self._cancel([*change.lost, *(lease.partition for lease in change.gained)])
        for lease in change.gained:
            self._tasks[lease.partition] = asyncio.create_task(self._guarded(lease))
        for partition, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[partition]
                task.result()
        self.progress.owned = len(self._tasks)
        self.progress.turned(self._clock.elapsed(), {})

    async def _guarded(self, lease: Lease) -> None:
        session = Session(
            self._log,
            lease,
            self.progress,
            lambda: self._owner.committed(lease),
            self.dead_share,
        )
        try:
            await self._run(session)
        except LeaseLost as lost:
            log.warning("lease_lost", reason=str(lost))
            self.progress.moved((), [lease.partition])
            self._owner.forget(lease)

    async def _cancel(self, partitions: list[int]) -> None:
        await end([self._tasks.pop(one) for one in partitions if one in self._tasks])
