"""Many runs, and the shortest schedule of each that goes wrong."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.sim.faults import KINDS, Fault, Kind
from tests.sim.world import HOUSE, Build, run, schedule

# A list of all that is missing may be long; its beginning tells what it is.
_SENTENCE_MAX = 400
# With fewer runs a kind of fault may be missing by chance.
ALL_KINDS_FROM = 100
# The real stages are slower than the toys, and forgive more.
HOUSE_EVERY = 10


@dataclass(frozen=True, slots=True)
class Violation:
    """A run that broke the guarantee, with the fewest faults found that still do."""

    seed: str
    sentences: Sequence[str]
    faults: Sequence[Fault]

    def __str__(self) -> str:
        lines = [f"seed {self.seed} breaks the guarantee:"]
        lines += [f"  {sentence[:_SENTENCE_MAX]}" for sentence in self.sentences]
        lines.append("its shortest schedule that does:")
        lines += [f"  {fault}" for fault in self.faults] or ["  no fault at all"]
        return "\n".join(lines)


@dataclass(slots=True)
class Report:
    """What many runs came to."""

    runs: int
    seed: int
    compared: Counter[str] = field(default_factory=Counter)
    faults: Counter[Kind] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """Why the runs prove nothing, one sentence each; empty if they do."""
        found = [f"{len(self.violations)} runs broke the guarantee"] if self.violations else []
        if not self.compared or 0 in self.compared.values():
            found.append(f"nothing was compared in a topic: {dict(self.compared)}")
        missing = [kind for kind in KINDS if not self.faults[kind]]
        if self.runs >= ALL_KINDS_FROM and missing:
            found.append(f"these never happened: {', '.join(missing)}")
        return found

    def line(self) -> str:
        """The report as one line of JSON."""
        return json.dumps(
            {
                "runs": self.runs,
                "seed": self.seed,
                "compared": dict(self.compared),
                "faults": {kind: self.faults[kind] for kind in KINDS},
                "violations": len(self.violations),
            }
        )


def campaign(seed: int, numbers: Iterable[int], tell: Callable[[str], None]) -> Report:
    """Run the numbered runs of a seed; ``tell`` hears of every violation as it is found."""
    report = Report(0, seed)
    for number in numbers:
        name = f"{seed}.{number}"
        faults = schedule(name)
        build = HOUSE if number % HOUSE_EVERY == 0 else None
        outcome = run(name, faults, build)
        report.runs += 1
        report.compared += outcome.compared
        report.faults += outcome.happened
        if outcome.violations:
            report.violations.append(explain(name, faults, build))
            tell(str(report.violations[-1]))
    return report


def explain(seed: str, faults: Sequence[Fault], build: Build | None = None) -> Violation:
    """Leave out faults one by one while the run still goes wrong without them."""
    left = list(faults)
    for fault in faults:
        fewer = [one for one in left if one is not fault]
        if run(seed, fewer, build).violations:
            left = fewer
    return Violation(seed, run(seed, left, build).violations, left)
