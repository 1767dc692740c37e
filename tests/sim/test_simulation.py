"""The runtime under everything that can go wrong, in short; ``make sim`` does it at length."""

import pytest

from tests.sim.campaign import ALL_KINDS_FROM, Report, campaign, explain
from tests.sim.faults import KINDS, Fault
from tests.sim.judge import TOPICS
from tests.sim.mutants import MUTANTS
from tests.sim.world import run, schedule


@pytest.mark.parametrize("seed", range(2, 6))
def test_whatever_goes_wrong_the_log_holds_what_an_undisturbed_run_writes(seed: int) -> None:
    """Fifteen runs a seed: nothing lost, doubled or out of order."""
    told: list[str] = []
    report = campaign(seed, range(15), told.append)
    assert told == []
    assert report.failures == []
    assert report.runs == 15
    assert all(report.compared[topic] > 100 for topic in TOPICS)


def test_every_kind_of_fault_happens_and_does_no_harm() -> None:
    """Schedules of one kind alone, until it did happen."""
    for kind in KINDS:
        seeds = (f"kind.{n}" for n in range(9))
        outcomes = (run(seed, schedule(seed, [kind])) for seed in seeds)
        happened = next(one for one in outcomes if one.happened[kind])
        assert happened.violations == [], kind


def test_a_run_is_the_same_every_time() -> None:
    """A seed and a schedule decide about everything that is written, entry ids included."""
    faults = schedule("again")
    assert len({run("again", faults).digest for _ in range(3)}) == 1
    assert run("again", faults).digest != run("again", faults[1:]).digest


def test_a_violation_is_told_with_its_seed_and_its_shortest_schedule() -> None:
    """Of eleven faults the one is left that a log without transaction ids takes for another."""
    build = MUTANTS["no transaction id"].build
    lost = Fault(at=3.0, kind="lost_reply", stage="candles", partition=0, seconds=0.0)
    harmless = [
        Fault(at=n / 2, kind="late_topic", stage="signals", partition=0, seconds=0.1)
        for n in range(10)
    ]
    faults = sorted([lost, *harmless], key=lambda fault: fault.at)
    violation = explain("short", faults, build)
    assert violation.faults == [lost]
    assert str(violation).splitlines() == [
        "seed short breaks the guarantee:",
        "  a commit was refused as out of turn, and nothing was rolled back",
        "its shortest schedule that does:",
        "    3.000 s  lost_reply  candles, partition 0, 0.000 s",
    ]


def test_runs_that_compare_nothing_prove_nothing() -> None:
    """Neither do many runs in which a kind of fault never happened."""
    assert Report(runs=1, seed=1).failures == ["nothing was compared in a topic: {}"]
    many = Report(runs=ALL_KINDS_FROM, seed=1)
    many.compared["tick"] = 1
    many.faults.update(KINDS[1:])
    assert many.failures == [f"these never happened: {KINDS[0]}"]
