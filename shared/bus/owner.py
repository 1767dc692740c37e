"""A worker's leases on the partitions of one stage: takes its share, gives back what is above."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from shared.bus.lease import LEASE_TTL_MS
from shared.bus.log import Held, Lease, Log
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


class Owner:
    """Keeps leases in step with this worker's fair share.

    Safety never depends on it: two workers that both believe they own a partition are told apart
    by the token in their commits.
    """

    def __init__(self, log_: Log, stage: StageName, worker: str, clock: Clock) -> None:
        self._log = log_
        self._stage = stage
        self._worker = worker
        self._clock = clock
        self._leases: dict[int, Lease] = {}
        self._renewed: dict[int, float] = {}
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
        surplus = sorted(self._leases.keys() - mine)
        if surplus and before_release is not None:
            await before_release(surplus)
        for partition in surplus:
            await self._log.release(self._leases[partition])
            self.forget(partition)
            lost.append(partition)
        return Change(await self._take(mine - self._leases.keys(), now), lost)

    def renewed(self, partition: int) -> None:
        """A commit went through, which renews the lease."""
        self._renewed[partition] = self._clock.elapsed()

    def forget(self, partition: int) -> None:
        """The lease is not ours any more; it is taken again at the next beat if it is our share."""
        self._leases.pop(partition, None)
        self._renewed.pop(partition, None)
        self._beat_at = None

    async def leave(self) -> None:
        """Give everything back and stop being a member, so that others take over at once."""
        for lease in self._leases.values():
            await self._log.release(lease)
        await self._log.leave(self._stage, self._worker)
        self._leases.clear()

    async def _keep(self, now: float) -> list[int]:
        """Renew the leases that no commit renewed lately; returns those lost meanwhile."""
        idle = [
            lease
            for partition, lease in self._leases.items()
            if now - self._renewed[partition] >= _BEAT_S
        ]
        lost = []
        for lease, kept in zip(idle, await self._log.renew(idle, LEASE_TTL_MS), strict=True):
            if kept:
                self._renewed[lease.partition] = now
            else:
                self.forget(lease.partition)
                lost.append(lease.partition)
        return lost

    async def _take(self, wanted: set[int], now: float) -> list[Lease]:
        gained = []
        for partition in sorted(wanted):
            found = await self._log.acquire(self._stage, partition, self._worker, LEASE_TTL_MS)
            if isinstance(found, Held):
                continue
            log.debug("lease_gained", stage=self._stage, partition=partition, token=found.token)
            self._leases[partition] = found
            self._renewed[partition] = now
            gained.append(found)
        return gained
