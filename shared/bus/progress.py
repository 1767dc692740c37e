"""What a loop has done and when: the ground of readiness, metrics and lag."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.bus.log import Commit, Verdict
from shared.bus.topics import StageName
from shared.events.control import DEAD_LETTERS

Move = Literal["gained", "lost"]


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far a stage is behind in one partition.

    ``behind`` counts entries of its inputs that it has not decided on, ``lost`` those that were
    trimmed before it could. ``event_s`` is the time in the market between the last entry of its
    driving topic and the last one that it has decided on.
    """

    behind: int = 0
    lost: int = 0
    event_s: float = 0.0


@dataclass(slots=True)
class Progress:
    """One loop's own account of itself; times are on the worker's steady clock, in seconds.

    Counters are by partition. ``stopped`` says why the loop went no further, if it did not.
    """

    stage: StageName
    owned: int = 0
    turned_at: float | None = None
    verdicts: Counter[tuple[int, Verdict]] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    dead: Counter[int] = field(default_factory=Counter)
    moves: Counter[tuple[int, Move]] = field(default_factory=Counter)
    waiting: dict[int, tuple[int, float]] = field(default_factory=dict)
    waits: Counter[int] = field(default_factory=Counter)
    lags: Mapping[int, PartitionLag] = field(default_factory=dict)
    stopped: str | None = None

    def turned(self, now: float, waits: dict[int, int]) -> None:
        """A round ended; ``waits`` names the position each waiting partition waits for."""
        self.turned_at = now
        for partition in self.waiting.keys() - waits.keys():
            del self.waiting[partition]
        for partition, pos in waits.items():
            if self.waiting.get(partition, (None, 0.0))[0] != pos:
                self.waiting[partition] = (pos, now)
                self.waits[partition] += 1

    def committed(self, verdict: Verdict, commit: Commit) -> None:
        """A commit was answered; with DUP it is written too, by a try whose answer was lost."""
        self.verdicts[commit.partition, verdict] += 1
        if verdict in ("OK", "DUP"):
            for run in commit.outputs:
                self.outputs[run.type] += len(run)
                if run.type == DEAD_LETTERS:
                    self.dead[commit.partition] += len(run)

    def moved(self, gained: Collection[int], lost: Collection[int]) -> None:
        """Partitions came to this worker, or went to another."""
        for partition in gained:
            self.moves[partition, "gained"] += 1
        for partition in lost:
            self.moves[partition, "lost"] += 1

    def longest_wait(self, now: float) -> float:
        """Seconds the longest waiting partition has waited for another stage."""
        return max((now - since for _, since in self.waiting.values()), default=0.0)

    @property
    def behind(self) -> int:
        """Entries that the stage is behind, over the partitions owned."""
        return sum(lag.behind for lag in self.lags.values())

    @property
    def lost(self) -> int:
        """Entries that the stage never saw, over the partitions owned."""
        return sum(lag.lost for lag in self.lags.values())
