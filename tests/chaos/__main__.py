"""``python -m tests.chaos --runs 20 --seed 1``: one JSON line at the end, 1 where a run failed."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from itertools import islice
from multiprocessing import get_context

from tests.chaos.faults import KINDS, Fault, schedules
from tests.chaos.judge import TOPICS
from tests.chaos.world import Outcome, prepare, run

# A run waits most of its time, for leases to expire above all.
_LANES = 2


def main() -> None:
    options = _options()
    plan = list(islice(schedules(options.seed), options.runs))
    outcomes = []
    for number, outcome in _play(plan, options):
        outcomes.append(outcome)
        for line in _told(number, options.seed, outcome, plan[number]):
            sys.stderr.write(line + "\n")
    summary = _summary(options.seed, outcomes)
    sys.stdout.write(json.dumps(summary) + "\n")
    unseen = set(KINDS) - {kind for one in outcomes for kind in one.happened}
    if unseen and options.only is None:
        sys.exit(f"never happened: {', '.join(sorted(unseen))}; give it more runs")
    sys.exit(1 if summary["violations"] or not outcomes else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of the one run to play")
    parser.add_argument("--keep", action="store_true", help="leave the runs' folders with all logs")
    return parser.parse_args()


def _play(
    plan: Sequence[Sequence[Fault]], options: argparse.Namespace
) -> Iterator[tuple[int, Outcome]]:
    numbers = range(len(plan)) if options.only is None else [options.only]
    lanes = ProcessPoolExecutor(_LANES, mp_context=get_context("spawn"), initializer=prepare)
    with lanes:
        played: dict[Future[Outcome], int] = {
            lanes.submit(run, options.seed * 1_000 + number, plan[number], options.keep): number
            for number in numbers
        }
        for future in as_completed(played):
            yield played[future], future.result()


def _told(number: int, seed: int, outcome: Outcome, faults: Sequence[Fault]) -> Iterator[str]:
    word = "VIOLATED" if outcome.violations else "ok"
    total = outcome.compared.total()
    yield f"run {number}: {word}, {outcome.seconds:.1f} s, {total} events, {outcome.lost} lost"
    if outcome.violations:
        yield from (f"  {one}" for one in dict.fromkeys(outcome.violations))
        yield f"  again: python -m tests.chaos --seed {seed} --runs {number + 1} --only {number}"
        yield from (f"  {fault}" for fault in faults)


def _summary(seed: int, outcomes: Sequence[Outcome]) -> dict[str, object]:
    happened: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    for outcome in outcomes:
        happened.update(outcome.happened)
        compared.update(outcome.compared)
    return {
        "runs": len(outcomes),
        "seed": seed,
        "compared": {topic: compared[topic] for topic in TOPICS},
        "faults": {kind: happened[kind] for kind in KINDS},
        "entries_rolled_back": sum(outcome.lost for outcome in outcomes),
        "violations": sum(len(outcome.violations) for outcome in outcomes),
    }


if __name__ == "__main__":
    main()
