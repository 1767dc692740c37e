"""A container's first process can be told to stop before its service is even imported."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Says that it is being imported; then takes its time.
SLOW = "import time; print(__name__, flush=True); time.sleep(60)"


def started(folder: Path, code: str) -> "subprocess.Popen[str]":
    """The start module on a module of this code."""
    (folder / "made_up.py").write_text(code)
    return subprocess.Popen(
        [sys.executable, "-m", "shared.service.start", "made_up"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_it_is_imported_it_ends_cleanly(
    tmp_path: Path, number: signal.Signals
) -> None:
    """With 0 and without a word: nothing had been begun."""
    with started(tmp_path, SLOW) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "__main__\n"
        process.send_signal(number)
        _, said = process.communicate()
    assert (process.returncode, said) == (0, "")


def test_it_runs_what_is_named_to_its_end() -> None:
    """The exit code and what is said are the module's own."""
    done = subprocess.run(
        [sys.executable, "-m", "shared.service.start", "services.ingest"],
        env={**os.environ, "LOG_LEVEL": "loud"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("tideline: setting LOG_LEVEL")
