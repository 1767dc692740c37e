"""The log as the runtime sees it: leases, reads, commits. Redis carries it; tests have a fake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.bus.outputs import Outputs
from shared.bus.topics import StageName, Topic
from shared.events.base import Scalar
from shared.events.codec import RawEntry

START = "0-0"
"""The offset before a topic's first entry."""

FIRST_LIFE = "0"
"""The incarnation of a partition that was never rolled back."""

At = tuple[int, Topic]
"""A partition's topic."""


def order(entry_id: str) -> tuple[int, int]:
    """What entry ids are compared by: milliseconds, and a number within them."""
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


class BusError(Exception):
    """The log cannot be used; the message names what is wrong and how to mend it."""


class LeaseLost(Exception):
    """Another worker owns the partition now: drop everything held of it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to commit for one stage and partition, with what was found when it was taken.

    ``token`` is ``epoch:nonce``: the epoch alone is issued twice after a failover.
    ``incarnation`` is made alike of the partition's lives: one more after every rollback noticed.
    """

    stage: StageName
    partition: int
    token: str
    checkpoint: Mapping[str, str]
    state: Mapping[str, str]
    incarnation: str = FIRST_LIFE

    @property
    def seq(self) -> int:
        """The sequence number of the next commit."""
        return int(self.checkpoint.get("seq", "0"))


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else has the lease, for at most so long."""

    owner: str
    left_ms: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that one decision of one stage and partition changes, all or nothing.

    ``seq`` is the sequence number found in the checkpoint, ``txid`` names this very commit, so
    that sending it again after a lost reply writes nothing. ``checkpoint`` holds the new offsets,
    ``state`` the changed fields (empty text deletes), ``views`` what is only shown.

    ``rests_on`` names entries that must still be in the log: of each portion that was read, the
    last one taken from it. A portion whose last entry is there is there as a whole, for a rollback
    takes the newest away; what was read before one and lost in it must not be decided on.
    """

    stage: StageName
    partition: int
    token: str
    seq: int
    txid: str
    checkpoint: Mapping[str, str]
    state: Mapping[str, str] = field(default_factory=dict)
    outputs: Sequence[Outputs] = ()
    views: Mapping[str, str] = field(default_factory=dict)
    rests_on: Sequence[tuple[Topic, str]] = ()
    incarnation: str = FIRST_LIFE


Verdict = Literal["OK", "DUP", "FENCED", "CONFLICT"]
"""Written; written before; the lease is another's; not what follows on what stands: reload."""

Reached = tuple[Lease, int]
"""A lease, and the sequence number that its holder has come to."""


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

    async def renew(self, leases: Sequence[Reached], ttl_ms: int) -> list[bool]:
        """Prolong leases; False where one is another's, or commits of its holder are gone."""
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
