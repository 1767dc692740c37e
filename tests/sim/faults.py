"""What can go wrong, and when: a schedule is drawn before a run, so that it can be cut down."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from shared.bus.topics import StageName

CommitKind = Literal[
    "crash_before_commit",
    "crash_after_commit",
    "lost_reply",
    "refused_commit",
    "doubled_commit",
    "delayed_commit",
    "orphaned_commit",
    "paused_at_commit",
    "rollback_at_commit",
]
OtherKind = Literal[
    "clock_jump",
    "late_topic",
    "member_joins",
    "member_leaves",
    "poison_undecidable",
    "poison_undecodable",
    "rollback",
    "server_away",
    "stage_down",
    "trim",
]
Kind = CommitKind | OtherKind
COMMIT_KINDS: tuple[Kind, ...] = get_args(CommitKind)
KINDS: tuple[Kind, ...] = (*COMMIT_KINDS, *get_args(OtherKind))
STAGES: tuple[StageName, ...] = ("feed", "candles", "indicators", "signals")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing going wrong.

    ``at`` is in seconds since the start. Commit kinds hit the stage's first commit after that.
    ``seconds`` is how long it lasts, how late it comes, or how much a rollback takes away.
    """

    at: float
    kind: Kind
    stage: StageName
    partition: int
    seconds: float

    def __str__(self) -> str:
        where = f"{self.stage}, partition {self.partition}"
        return f"{self.at:7.3f} s  {self.kind}  {where}, {self.seconds:.3f} s"


# Shortest and longest, in seconds. A lease lasts three, so that most lie on both sides of that.
_SECONDS: dict[Kind, tuple[float, float]] = {
    "clock_jump": (-8.0, 8.0),
    "delayed_commit": (0.01, 8.0),
    "member_leaves": (0.1, 4.0),
    "orphaned_commit": (0.01, 8.0),
    "paused_at_commit": (3.2, 8.0),
    "rollback": (0.005, 1.5),
    "rollback_at_commit": (0.005, 1.0),
    "server_away": (0.05, 4.0),
    "stage_down": (4.0, 9.0),
}
_ELSE = (0.05, 5.0)
FAULTS_MAX = 14
PARTITIONS_MAX = 3


def draw_faults(chance: Random, seconds: float, kinds: Sequence[Kind] = KINDS) -> list[Fault]:
    """A schedule of up to ``FAULTS_MAX`` faults, in the order of their times."""
    drawn = [_draw(chance, seconds, kinds) for _ in range(chance.randint(0, FAULTS_MAX))]
    return sorted(drawn, key=lambda fault: fault.at)


def _draw(chance: Random, seconds: float, kinds: Sequence[Kind]) -> Fault:
    kind = chance.choice(kinds)
    return Fault(
        at=chance.uniform(0.0, seconds),
        kind=kind,
        stage=chance.choice(STAGES),
        partition=chance.randrange(PARTITIONS_MAX),
        seconds=chance.uniform(*_SECONDS.get(kind, _ELSE)),
    )
