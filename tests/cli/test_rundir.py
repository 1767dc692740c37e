"""Launchers find a place of their own, and commands find launchers."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tideline.rundir import Running, held, is_held, note, run_dir, running
from tideline.trouble import Trouble

HOLDER = """
import sys, time
from pathlib import Path
from tideline.rundir import Running, note, run_dir
with run_dir(Path(sys.argv[1])) as path:
    note(path, Running(pid=int(path.name), mode="up", redis_url="redis://x", namespace="n",
                       page="http://127.0.0.1:1", started_at=1))
    print(path.name, flush=True)
    time.sleep(600)
"""


def running_here(pid: int, started_at: int = 5) -> Running:
    return Running(
        pid=pid,
        mode="demo",
        redis_url="unix:///s",
        namespace="tideline",
        page="http://127.0.0.1:8000",
        started_at=started_at,
    )


def test_a_launcher_is_found_while_it_runs(tmp_path: Path) -> None:
    """Its note is there from when it is up until it has ended, and then nothing is."""
    with run_dir(tmp_path) as path:
        assert running(tmp_path) == []
        note(path, running_here(os.getpid()))
        assert running(tmp_path) == [running_here(os.getpid())]
    assert running(tmp_path) == []
    assert not path.exists()


def test_what_a_killed_launcher_left_is_swept_by_the_next(tmp_path: Path) -> None:
    """A launcher killed with SIGKILL is not found any more, and the next one tidies up."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        assert [one.pid for one in running(tmp_path)] == [pid]
        holder.kill()
    assert running(tmp_path) == []
    assert (tmp_path / str(pid)).exists()
    with run_dir(tmp_path):
        assert not (tmp_path / str(pid)).exists()


def test_two_launchers_leave_each_other_alone(tmp_path: Path) -> None:
    """The second sweeps nothing of the first, and the newest comes last."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        with run_dir(tmp_path) as path:
            note(path, running_here(os.getpid()))
            assert [one.pid for one in running(tmp_path)] == [pid, os.getpid()]
        holder.kill()


def test_sweeping_touches_nothing_of_others(tmp_path: Path) -> None:
    """Files and directories that no launcher made stay, whatever they are called."""
    for name in ("123", "notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").touch()
    with run_dir(tmp_path):
        pass
    assert sorted(file.parent.name for file in tmp_path.glob("*/mine.txt")) == ["123", "notes"]


def test_logs_stay_after_an_error(tmp_path: Path) -> None:
    """Whoever is sent to a log finds it; the note is gone all the same."""
    path = tmp_path / str(os.getpid())
    with pytest.raises(ZeroDivisionError), run_dir(tmp_path):
        _fail_in(path)
    assert (path / "a.log").exists()
    assert running(tmp_path) == []


def _fail_in(path: Path) -> None:
    note(path, running_here(os.getpid()))
    (path / "a.log").touch()
    raise ZeroDivisionError


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The line names the path and the setting."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(Trouble, match=r"file/x cannot be made .*; set TIDELINE_LAUNCHER__RUN_DIR"),
        run_dir(tmp_path / "file" / "x"),
    ):
        pass


def test_a_lock_ends_with_its_block(tmp_path: Path) -> None:
    """Held inside, free outside, and free where there is no file."""
    lock = tmp_path / "lock"
    assert not is_held(lock)
    with held(lock):
        assert is_held(lock)
        with pytest.raises(BlockingIOError), held(lock, waiting=False):
            pass
    assert not is_held(lock)


def test_who_asks_about_a_lock_does_not_hold_it(tmp_path: Path) -> None:
    """Two commands that look for launchers at one moment do not take each other for one."""
    lock = tmp_path / "lock"
    lock.touch()
    with lock.open("rb") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        assert not is_held(lock)
