"""A worker's leases on the partitions of one stage: takes its share, gives back what is above."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from shared.bus.lease import LEASE_TTL_MS
from shared.bus.log import Lease, Log
from shared.bus.membership import share
from shared.bus.topics import StageName
from shared.clock import Clock

log = structlog.get_logger(__name__)

BeforeRelease = Callable[[list[int]], Awaitable[None]]

# Six beats fit into a lease: several may be lost before it expires.
_BEAT_S = LEASE_TTL_MS / 1000 / 6


@dataclass(frozen=True, slots=True)
class Change:
    """What a settling of ownership changed."""

    gained: list[Lease] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Held:
    """A lease, how far its holder has come with it, and when it was last renewed."""

    lease: Lease
    seq: int
    renewed_at: float


class Owner:
    """Keeps leases in step with this worker's fair share.

    Safety never depends on it: two workers that both believe they own a partition are told apart
    by the token in their commits. Its methods may be called while ``settle`` waits.
    """

    def __init__(self, log_: Log, stage: StageName, worker: str, clock: Clock) -> None:
        self._log = log_
        self._stage = stage
        self._worker = worker
        self._clock = clock
        self._held: dict[int, _Held] = {}
        self._beat_at: float | None = None

    async def settle(self, before_release: BeforeRelease | None = None) -> Change:
        """Beat if it is time to, and say which partitions came and went; else nothing changes.

        ``before_release`` is awaited with the partitions about to be given back, so that work on
        them ends first.
        """
        now = self._clock.elapsed()
        if self._beat_at is not None and now - self._beat_at < _BEAT_S:
            return Change()
        self._beat_at = now
        members = await self._log.heartbeat(self._stage, self._worker, LEASE_TTL_MS)
        mine = set(share(members, self._log.partitions).get(self._worker, ()))
        lost = await self._keep(now)
        surplus = sorted(self._held.keys() - mine)
        if surplus and before_release is not None:
            await before_release(surplus)
        for partition in surplus:
            held = self._held.pop(partition, None)
            if held is not None:
                await self._log.release(held.lease)
        return Change(await self._take(mine - self._held.keys(), now), lost + surplus)

    def committed(self, lease: Lease) -> None:
        """A commit went through under a lease, which renews it."""
        held = self._of(lease)
        if held is not None:
            held.seq += 1
            held.renewed_at = self._clock.elapsed()

    def forget(self, lease: Lease) -> None:
        """The lease is not ours any more; it is taken again at the next beat if it is our share."""
        if self._of(lease) is not None:
            del self._held[lease.partition]
            self._beat_at = None

    async def leave(self) -> None:
        """Give everything back and stop being a member, so that others take over at once."""
        for held in self._held.values():
            await self._log.release(held.lease)
        await self._log.leave(self._stage, self._worker)
        self._held.clear()

    def _of(self, lease: Lease) -> _Held | None:
        """What is held under this very lease: a later one of its partition is another."""
        held = self._held.get(lease.partition)
        return held if held is not None and held.lease.token == lease.token else None

    async def _keep(self, now: float) -> list[int]:
        """Renew the leases that no commit renewed lately; returns those lost meanwhile."""
        idle = [held for held in self._held.values() if now - held.renewed_at >= _BEAT_S]
        renewals = [(held.lease, held.seq) for held in idle]
        lost = []
        for held, kept in zip(idle, await self._log.renew(renewals, LEASE_TTL_MS), strict=True):
            if kept:
                held.renewed_at = now
            else:
                self.forget(held.lease)
                lost.append(held.lease.partition)
        return lost

    async def _take(self, wanted: set[int], now: float) -> list[Lease]:
        gained = []
        for partition in sorted(wanted):
            found = await self._log.acquire(self._stage, partition, self._worker, LEASE_TTL_MS)
            if isinstance(found, Lease):
                log.debug("lease_gained", stage=self._stage, partition=partition, token=found.token)
                self._held[partition] = _Held(found, found.seq, now)
                gained.append(found)
        return gained
