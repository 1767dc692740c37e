"""A simulation is worth what it notices: each safeguard taken out must make it fail."""

import pytest

from tests.sim.mutants import MUTANTS, Mutant
from tests.sim.world import run, schedule

_RUNS_MAX = 60


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_mutant_is_caught(mutant: Mutant) -> None:
    """Within a few runs; the same runs with the safeguard in place go well."""
    for number in range(_RUNS_MAX):
        seed = f"mutant.{number}"
        faults = schedule(seed, mutant.kinds)
        if run(seed, faults, mutant.build).violations:
            assert run(seed, faults).violations == []
            return
    raise AssertionError(f"nobody missed the safeguard in {_RUNS_MAX} runs")
