"""What a loop has done and when: the ground of readiness, metrics and lag."""

from collections import Counter
from dataclasses import dataclass, field

from shared.bus.log import Commit, Verdict
from shared.bus.topics import StageName


@dataclass(slots=True)
class Progress:
    """One loop's own account of itself; times are on the worker's steady clock, in seconds."""

    stage: StageName
    owned: int = 0
    turned_at: float | None = None
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    waiting: dict[int, tuple[int, float]] = field(default_factory=dict)
    waits: int = 0
    behind: int = 0
    lost: int = 0

    def turned(self, now: float, waits: dict[int, int]) -> None:
        """A round ended; ``waits`` names the position each waiting partition waits for."""
        self.turned_at = now
        for partition in self.waiting.keys() - waits.keys():
            del self.waiting[partition]
        for partition, pos in waits.items():
            if self.waiting.get(partition, (None, 0.0))[0] != pos:
                self.waiting[partition] = (pos, now)
                self.waits += 1

    def committed(self, verdict: Verdict, commit: Commit) -> None:
        """A commit was answered."""
        self.verdicts[verdict] += 1
        if verdict == "OK":
            for output in commit.outputs:
                self.outputs[str(output.fields[1])] += 1

    def longest_wait(self, now: float) -> float:
        """Seconds the longest waiting partition has waited for another stage."""
        return max((now - since for _, since in self.waiting.values()), default=0.0)
