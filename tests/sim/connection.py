"""A worker's connection to the simulated server: slow, and wrong in every way that real ones are.

A request that was sent arrives, whatever becomes of its sender. The answer may not.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from shared.bus.log import At, Commit, Held, Lease, Reached, Verdict
from shared.bus.patience import Away, commit_patiently, patiently
from shared.bus.topics import StageName, Topic
from shared.events.base import Scalar
from shared.events.codec import RawEntry
from tests.sim.faults import Fault, Kind
from tests.sim.server import Server

Answer = TypeVar("Answer")

# Until a replica is promoted nobody answers.
_FAILOVER_S = 0.4
# How long the sender of an orphaned commit stays dead: time enough for another to take over.
_AWAY_S = 4.0
# One topic in so many is left out of a read, so that topics arrive in every order.
_LEFT_OUT = 0.2
_SLOW = 0.03
# What was asked for was done, but nobody hears of it. (Of commits only a fault keeps the answer.)
_UNHEARD = 0.01


class Cut(Exception):
    """The process is dead: nothing it asks for leaves it any more."""


@dataclass(slots=True)
class Network:
    """What all connections share: the server, what is to go wrong with it, and what did."""

    server: Server
    seed: str
    away_until: float = 0.0
    armed: list[Fault] = field(default_factory=list)
    late: dict[tuple[StageName, Topic], float] = field(default_factory=dict)
    happened: Counter[Kind] = field(default_factory=Counter)
    last_arrival: float = 0.0
    conflicts: int = 0
    rolled_back: bool = False

    def take(self, stage: StageName) -> Fault | None:
        """The next fault that is to hit a commit of the stage."""
        fault = next((one for one in self.armed if one.stage == stage), None)
        if fault is not None:
            self.armed.remove(fault)
            self.happened[fault.kind] += 1
        return fault

    def fail_over(self, partitions: Iterable[int], seconds: float) -> int:
        """A replica that is so many seconds behind takes over; returns how much is lost."""
        self.away_until = asyncio.get_running_loop().time() + _FAILOVER_S
        self.rolled_back = True
        return self.server.roll_back(partitions, seconds)


class Connection:
    """One life of one worker."""

    def __init__(self, network: Network, stage: StageName, chance: Random) -> None:
        self.partitions = network.server.partitions
        self.cut = False
        self.paused_until = 0.0
        self.crash: Callable[[float], None] = lambda seconds: None
        self._network = network
        self._server = network.server
        self._stage = stage
        self._chance = chance
        self._loop = asyncio.get_running_loop()

    async def heartbeat(self, stage: StageName, worker: str, ttl_ms: int) -> list[str]:
        return await self._ask(lambda: self._server.heartbeat(stage, worker, ttl_ms))

    async def leave(self, stage: StageName, worker: str) -> None:
        await self._ask(lambda: self._server.leave(stage, worker))

    async def acquire(
        self, stage: StageName, partition: int, worker: str, ttl_ms: int
    ) -> Lease | Held:
        return await self._ask(lambda: self._server.acquire(stage, partition, worker, ttl_ms))

    async def renew(self, leases: Sequence[Reached], ttl_ms: int) -> list[bool]:
        return await self._ask(lambda: self._server.renew(leases, ttl_ms)) if leases else []

    async def release(self, lease: Lease) -> None:
        await self._ask(lambda: self._server.release(lease))

    async def append(self, partition: int, topic: Topic, fields: Sequence[Scalar]) -> str:
        return await self._ask(lambda: self._server.append(partition, topic, fields))

    async def trim(self, topic: Topic, partitions: Sequence[int], keep: int) -> int:
        return await self._ask(lambda: self._server.trim(topic, partitions, keep))

    async def lives(self) -> list[str]:
        """Each partition's life."""
        return await self._ask(self._server.lives)

    async def read(
        self, offsets: Mapping[At, str], *, count: int, block_ms: int
    ) -> dict[At, list[RawEntry]]:
        if not offsets:
            return {}
        until = self._loop.time() + block_ms / 1000
        while True:
            found = await self._ask(lambda: self._look(offsets, count))
            left = until - self._loop.time()
            if found or left <= 0:
                return found
            await self._server.news(offsets, left)

    async def commit(self, commits: Sequence[Commit]) -> list[Verdict]:
        return await commit_patiently(commits, self._send)

    async def _look(self, offsets: Mapping[At, str], count: int) -> dict[At, list[RawEntry]]:
        now = self._loop.time()
        seen = {
            at: offset
            for at, offset in offsets.items()
            if self._network.late.get((self._stage, at[1]), 0.0) <= now
            and self._chance.random() > _LEFT_OUT
        }
        return await self._server.read(seen, count=self._chance.randint(1, count), block_ms=0)

    async def _send(self, commits: Sequence[Commit]) -> Sequence[Verdict | Away]:
        await self._awake()
        fault = self._network.take(self._stage)
        if fault is not None and fault.kind == "crash_before_commit":
            self.crash(fault.seconds)
        if fault is not None and fault.kind == "paused_at_commit":
            self.paused_until = self._loop.time() + fault.seconds
        if fault is not None and fault.kind == "rollback_at_commit":
            self._network.fail_over([one.partition for one in commits], fault.seconds)
        try:
            return await self._trip(lambda: self._serve(commits, fault), unheard=0.0)
        except Away as away:
            return [away] * len(commits)

    async def _serve(
        self, commits: Sequence[Commit], fault: Fault | None
    ) -> Sequence[Verdict | Away]:
        """What the server, and the way to it, make of a few commits."""
        kind = None if fault is None else fault.kind
        if fault is not None and kind in ("delayed_commit", "orphaned_commit"):
            self._network.last_arrival = self._loop.time() + fault.seconds
            self._loop.call_later(fault.seconds, _arrive_late, self._server, commits)
        if fault is not None and kind == "orphaned_commit":
            self.crash(_AWAY_S)
        if kind in ("delayed_commit", "orphaned_commit", "refused_commit"):
            return [Away(kind)] * len(commits)
        verdicts = await self._server.commit(commits)
        if kind == "doubled_commit":
            verdicts = await self._server.commit(commits)
        self._network.conflicts += verdicts.count("CONFLICT")
        if fault is not None and kind == "crash_after_commit":
            self.crash(fault.seconds)
        return [Away(kind)] * len(commits) if kind == "lost_reply" else verdicts

    async def _ask(self, act: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        return await patiently(lambda: self._trip(act))

    async def _trip(
        self, act: Callable[[], Coroutine[Any, Any, Answer]], unheard: float = _UNHEARD
    ) -> Answer:
        """To the server and back; so often the answer is lost on its way."""
        await self._awake()
        reply: asyncio.Future[Answer] = self._loop.create_future()
        is_heard = self._chance.random() >= unheard
        self._loop.call_later(self._latency(), self._arrive, act, reply, is_heard)
        answer = await reply
        await self._awake()
        return answer

    def _arrive(
        self,
        act: Callable[[], Coroutine[Any, Any, Answer]],
        reply: "asyncio.Future[Answer]",
        is_heard: bool,
    ) -> None:
        away = self._network.away_until > self._loop.time()
        answer = None if away else at_once(act())
        if away or not is_heard:
            self._loop.call_later(self._latency(), _fail, reply)
        else:
            self._loop.call_later(self._latency(), _deliver, reply, answer)

    async def _awake(self) -> None:
        """Return as soon as the process runs.

        Raises:
            Cut: it never will.
        """
        if self.paused_until > self._loop.time() and not self.cut:
            await asyncio.sleep(self.paused_until - self._loop.time())
        if self.cut:
            raise Cut

    def _latency(self) -> float:
        slow = self._chance.random() < _SLOW
        return self._chance.uniform(0.05, 0.4) if slow else self._chance.uniform(0.0001, 0.003)


def at_once(call: Coroutine[Any, Any, Answer]) -> Answer:
    """The answer of a coroutine that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    raise AssertionError("the log in memory never waits")


def _arrive_late(server: Server, commits: Sequence[Commit]) -> None:
    at_once(server.commit(commits))


def _deliver(reply: "asyncio.Future[Any]", answer: object) -> None:
    if not reply.done():
        reply.set_result(answer)


def _fail(reply: "asyncio.Future[Any]") -> None:
    if not reply.done():
        reply.set_exception(Away("no answer"))
