"""On a terminal there are colours, and nowhere else."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ESCAPE = "\x1b["


def on_a_terminal(place: Path, *arguments: str, **environment: str) -> str:
    """What `tideline` writes where all three standard streams are a terminal."""
    controller, terminal = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "tideline", *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=place,
            check=False,
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", **environment},
        )
        os.close(terminal)
        written = b""
        while chunk := _read(controller):
            written += chunk
    finally:
        os.close(controller)
    return written.decode()


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65_536)
    except OSError:  # how Linux says that nobody has the terminal open any more
        return b""


def test_a_terminal_gets_colours(place: Path) -> None:
    """The doctor's findings are green, yellow or red."""
    assert ESCAPE in on_a_terminal(place, "doctor")


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["doctor", "--no-color"], {}),
        (["doctor"], {"NO_COLOR": "1"}),
        (["doctor"], {"TERM": "dumb"}),
    ],
)
def test_colours_can_be_refused(
    place: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    """By the option anywhere on the line, by NO_COLOR, and by a terminal that has none."""
    written = on_a_terminal(place, *arguments, **environment)
    assert "ok    python" in written
    assert ESCAPE not in written


def test_a_reader_that_has_gone_ends_a_command_quietly(place: Path) -> None:
    """`tideline doctor | true`: no complaint on the other stream, and no failure."""
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [sys.executable, "-m", "tideline", "doctor"],
        stdout=writing,
        stderr=subprocess.PIPE,
        cwd=place,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    os.close(writing)
    assert (run.returncode, run.stderr) == (0, b"")
