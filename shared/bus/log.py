"""The log as the runtime sees it: leases, reads, commits. Redis carries it; tests have a fake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.bus.topics import StageName, Topic
from shared.events.base import Scalar
from shared.events.codec import RawEntry

START = "0-0"
"""The offset before a topic's first entry."""

At = tuple[int, Topic]
"""A partition's topic."""


class BusError(Exception):
    """The log cannot be used; the message names what is wrong and how to mend it."""


class LeaseLost(Exception):
    """Another worker owns the partition now: drop everything held of it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to commit for one stage and partition, with what was found when it was taken.

    ``token`` is ``epoch:nonce``: the epoch alone is issued twice after a failover.
    """

    stage: StageName
    partition: int
    token: str
    checkpoint: Mapping[str, str]
    state: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else has the lease, for at most so long."""

    owner: str
    left_ms: int


@dataclass(frozen=True, slots=True)
class Output:
    """One entry to be appended: its topic and flat fields."""

    topic: Topic
    fields: Sequence[Scalar]


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that one decision of one stage and partition changes, all or nothing.

    ``seq`` is the sequence number found in the checkpoint, ``txid`` names this very commit, so
    that sending it again after a lost reply writes nothing. ``checkpoint`` holds the new offsets,
    ``state`` the changed fields (empty text deletes), ``views`` what is only shown.
    """

    stage: StageName
    partition: int
    token: str
    seq: int
    txid: str
    checkpoint: Mapping[str, str]
    state: Mapping[str, str] = field(default_factory=dict)
    outputs: Sequence[Output] = ()
    views: Mapping[str, str] = field(default_factory=dict)


Verdict = Literal["OK", "DUP", "FENCED", "CONFLICT"]


class Log(Protocol):
    """Partitioned, ordered, durable; the only shared thing between stages.

    Whatever a stage asks is asked again while the log is away, until it is answered; a commit is
    sent again as it was. ``append`` and ``trim`` tell their caller instead.
    """

    partitions: int

    async def heartbeat(self, stage: StageName, worker: str, ttl_ms: int) -> list[str]:
        """Count the worker as alive for ``ttl_ms`` and return all live workers, sorted."""
        ...

    async def leave(self, stage: StageName, worker: str) -> None:
        """Stop counting the worker as alive."""
        ...

    async def acquire(
        self, stage: StageName, partition: int, worker: str, ttl_ms: int
    ) -> Lease | Held:
        """Take a free, expired or own lease and load the checkpoint and state under it."""
        ...

    async def renew(self, leases: Sequence[Lease], ttl_ms: int) -> list[bool]:
        """Prolong leases; False where the token is not the lease's any more."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give a lease back, so that another worker can take it at once."""
        ...

    async def read(
        self, offsets: Mapping[At, str], *, count: int, block_ms: int
    ) -> dict[At, list[RawEntry]]:
        """Entries after each offset, at most ``count`` a topic; waits for the first if told to."""
        ...

    async def commit(self, commits: Sequence[Commit]) -> list[Verdict]:
        """Apply commits of different partitions, each atomically, and say what became of each.

        Waits out a log that is away or busy and sends the same commit again until it is answered.
        """
        ...

    async def append(self, partition: int, topic: Topic, fields: Sequence[Scalar]) -> str:
        """Add an entry from outside any stage, such as a request to an inbox; returns its id."""
        ...

    async def trim(self, topic: Topic, partitions: Sequence[int], keep: int) -> int:
        """Leave the newest ``keep`` entries, and any that a stage has not read; returns the cut."""
        ...
