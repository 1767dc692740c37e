"""A short version of ``make chaos``: real processes are killed, and nothing is lost or doubled."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_a_few_runs_end_without_violations() -> None:
    """Each run compares every topic with what its spine leads to, and prints what was wrong."""
    command = [sys.executable, "-m", "tests.chaos", "--runs", "2", "--seed", "7"]
    done = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=580
    )
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["violations"] == 0, done.stderr
    assert told["runs"] == 2
    assert min(told["compared"].values()) > 0
    assert sum(count > 0 for count in told["faults"].values()) > 4
