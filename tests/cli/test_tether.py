"""A tethered program dies with its parent, however that dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tideline.tether
from tests.cli.processes import await_death, is_alive

TETHER = Path(tideline.tether.__file__)
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-I", "-S", sys.argv[1], str(os.getpid()), sys.argv[2], "/bin/sleep", "600"]
)
print(child.pid, flush=True)
time.sleep(600)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps this promise")


def test_a_program_dies_when_its_parent_is_killed() -> None:
    """SIGKILL of the parent reaches the program as the signal that was agreed."""
    command = [sys.executable, "-c", PARENT, str(TETHER), str(int(signal.SIGTERM))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    assert await_death(child)


def test_a_program_is_not_started_for_a_parent_that_is_gone() -> None:
    """A parent that died before the promise was made leaves nothing behind."""
    tether = [sys.executable, "-I", "-S", str(TETHER), "1", str(int(signal.SIGTERM))]
    run = subprocess.run([*tether, "/bin/echo", "started"], capture_output=True, check=False)
    assert (run.returncode, run.stdout) == (1, b"")


def test_a_program_keeps_its_arguments_and_exit_code() -> None:
    """The tether becomes the program: same pid, same end."""
    tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), "15"]
    run = subprocess.run(
        [*tether, "/bin/sh", "-c", 'echo "$1"; exit 7', "sh", "a b"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (run.returncode, run.stdout) == (7, "a b\n")
