"""``python -m tests.sim --runs 1000 --seed 1``: simulate, and end with one line of JSON."""

import argparse
import logging
import sys

import structlog

from tests.sim.campaign import campaign
from tests.sim.world import schedule


def main() -> int:
    """Run what the command line asks for; 1 if it proves nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="how many runs (1000)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of them all (1)")
    parser.add_argument(
        "--only", type=int, metavar="N", help="only the run SEED.N, with its faults"
    )
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    numbers = range(asked.runs)
    if asked.only is not None:
        numbers = range(asked.only, asked.only + 1)
        for fault in schedule(f"{asked.seed}.{asked.only}"):
            tell(str(fault))
    report = campaign(asked.seed, numbers, tell)
    for failure in report.failures:
        tell(failure)
    tell(report.line())
    return 1 if report.failures else 0


def tell(text: str) -> None:
    """Print to the terminal at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
