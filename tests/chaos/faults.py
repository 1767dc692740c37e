"""What can go wrong with processes, connections and servers, and when: drawn before a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Literal, get_args

WorkerKind = Literal["worker_killed", "worker_lost", "worker_paused", "worker_stopped"]
ProxyKind = Literal["connections_cut", "replies_delayed", "replies_swallowed", "requests_late"]
ServerKind = Literal["replica_promoted", "server_killed", "server_torn"]
Kind = WorkerKind | ProxyKind | ServerKind
KINDS: tuple[Kind, ...] = (*get_args(WorkerKind), *get_args(ProxyKind), *get_args(ServerKind))
SERVER_KINDS: tuple[Kind, ...] = get_args(ServerKind)

# The market of a run lasts so long on the wall clock, and faults come within it.
MARKET_S = 4.0
_FIRST_S, _LAST_S = 0.4, 3.4
# Each run's share of the dealt deck, so that a few runs see every kind, and what chance adds.
_DEALT, _DRAWN = 4, 2

# Shortest and longest, in seconds. A lease lasts three: who is lost or paused is so for longer.
_SECONDS: dict[Kind, tuple[float, float]] = {
    "connections_cut": (0.0, 0.0),
    "replica_promoted": (0.2, 1.2),
    "replies_delayed": (0.2, 1.5),
    "replies_swallowed": (0.2, 0.8),
    "requests_late": (0.1, 0.6),
    "server_killed": (0.0, 0.6),
    "server_torn": (0.0, 0.6),
    "worker_killed": (0.0, 1.0),
    "worker_lost": (3.3, 3.8),
    "worker_paused": (3.3, 3.8),
    "worker_stopped": (0.0, 1.0),
}
_TORN_BYTES_MAX = 60_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing going wrong.

    ``at`` and ``seconds`` (how long it lasts) are on the wall clock, from the first entry on.
    ``victim`` numbers the worker, modulo their count; ``size`` is how many bytes are torn off.
    """

    at: float
    kind: Kind
    victim: int
    seconds: float
    size: int

    def __str__(self) -> str:
        return (
            f"{self.at:.3f} s {self.kind} victim {self.victim} {self.seconds:.3f} s {self.size} B"
        )


def schedules(seed: int) -> Iterator[list[Fault]]:
    """The faults of one run after the other, each in the order of their times."""
    chance = Random(f"{seed}/faults")
    deck = _deck(chance)
    while True:
        kinds = [*islice(deck, _DEALT), *chance.choices(KINDS, k=_DRAWN)]
        faults = [_fault(chance, kind) for kind in _one_failover(kinds)]
        yield sorted(faults, key=lambda fault: fault.at)


def _deck(chance: Random) -> Iterator[Kind]:
    while True:
        yield from chance.sample(KINDS, len(KINDS))


def _one_failover(kinds: Sequence[Kind]) -> Iterator[Kind]:
    """One replica follows a run's server, so that one failover is all it has."""
    seen = False
    for kind in kinds:
        if kind != "replica_promoted":
            yield kind
        elif not seen:
            seen = True
            yield kind


def _fault(chance: Random, kind: Kind) -> Fault:
    return Fault(
        at=chance.uniform(_FIRST_S, _LAST_S),
        kind=kind,
        victim=chance.randrange(1_000),
        seconds=chance.uniform(*_SECONDS[kind]),
        size=chance.randint(1, _TORN_BYTES_MAX),
    )
