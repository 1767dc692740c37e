"""The supervisor keeps programs running and leaves none behind."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.clock import SystemClock
from tests.cli.processes import PATIENCE_S, await_death, is_alive
from tideline.child import Ears, Program
from tideline.supervisor import Supervisor, backoff_s, ending
from tideline.trouble import Trouble


class Scene:
    """A supervisor of one program, and everything it says and hears."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "worker.log"
        self.said: list[str] = []
        self.heard: list[str] = []
        self.hurry = asyncio.Event()
        self._news = asyncio.Event()
        ears = Ears(self._hear, self._hear)
        self.supervisor = Supervisor(ears, self._say, SystemClock(), self.hurry)

    def keep(self, script: str) -> None:
        """Keep a Python script running."""
        program = Program("worker", (sys.executable, "-u", "-c", script), self.log)
        self.supervisor.keep(lambda: program)

    async def until(self, seen: Callable[[], object]) -> None:
        """Wait until what was said and heard is enough."""
        async with asyncio.timeout(PATIENCE_S):
            while not seen():
                self._news.clear()
                await self._news.wait()

    async def hears(self, lines: int) -> list[str]:
        """So many lines of the program."""
        await self.until(lambda: len(self.heard) >= lines)
        return self.heard

    def _hear(self, _: str, line: str) -> None:
        self.heard.append(line)
        self._news.set()

    def _say(self, line: str) -> None:
        self.said.append(line)
        self._news.set()


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


IGNORES = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up")
time.sleep(600)
"""
SAYS_PID = "import os, time; print(os.getpid()); time.sleep(600)"


async def test_a_crashed_program_is_started_again(scene: Scene) -> None:
    """A program that is killed comes back, and one line says so."""
    scene.keep(SAYS_PID)
    first = int((await scene.hears(1))[0])
    scene.supervisor.ready("worker")
    os.kill(first, signal.SIGKILL)
    second = int((await scene.hears(2))[1])
    assert second != first
    assert scene.said == [
        "worker stopped unexpectedly (killed by SIGKILL); starting it again in 0.5 s; "
        f"its log is {scene.log}"
    ]
    await scene.supervisor.stop(["worker"])
    assert not is_alive(second)


async def test_a_program_that_never_gets_ready_is_given_up(scene: Scene) -> None:
    """Three crashes before it was ever ready are one trouble with the program's own last line."""
    scene.keep("import sys; sys.exit('no such table')")
    with pytest.raises(Trouble) as caught:
        await asyncio.wait_for(scene.supervisor.failure, PATIENCE_S)
    assert str(caught.value) == (
        f"worker does not start (exit code 1): no such table; its log is {scene.log}"
    )


async def test_a_program_that_is_told_wrongly_is_not_tried_again(scene: Scene) -> None:
    """Exit code 2 ends everything at once, with the line that the program itself said."""
    scene.keep("import sys; print('tideline: unknown setting X', file=sys.stderr); sys.exit(2)")
    with pytest.raises(Trouble, match=r"^unknown setting X$") as caught:
        await asyncio.wait_for(scene.supervisor.failure, PATIENCE_S)
    assert (caught.value.code, scene.said) == (2, [])


async def test_a_port_that_was_taken_meanwhile_is_exchanged(scene: Scene) -> None:
    """A free port is only free until somebody takes it: the program is made anew with another."""
    ports = iter((4001, 4002))

    def make() -> Program:
        port = next(ports)
        script = f"import sys, time; print('port {port} is in use'); {port} == 4001 and sys.exit(2)"
        command = (sys.executable, "-u", "-c", f"{script}; time.sleep(600)")
        return Program("worker", command, scene.log, port=port)

    scene.supervisor.keep(make)
    assert await scene.hears(2) == ["port 4001 is in use", "port 4002 is in use"]
    assert not scene.supervisor.failure.done()
    await scene.supervisor.stop(["worker"])


async def test_a_program_that_will_not_stop_is_killed_in_a_hurry(scene: Scene) -> None:
    """Who asks twice does not wait for the grace period."""
    scene.keep(IGNORES)
    await scene.hears(1)
    scene.hurry.set()
    await asyncio.wait_for(scene.supervisor.stop(["worker"]), PATIENCE_S)
    assert scene.said == ["worker does not stop, killing it"]


async def test_stopping_between_two_lives_starts_nothing(scene: Scene) -> None:
    """A program that waits to be started again is simply not started."""
    scene.keep("raise SystemExit(1)")
    await scene.until(lambda: scene.said)
    await scene.supervisor.stop(["worker"])
    assert not scene.supervisor.is_running("worker")


async def test_what_a_program_started_is_stopped_with_it(scene: Scene) -> None:
    """A signal goes to the program's whole process group."""
    scene.keep(
        "import subprocess, time\n"
        "print(subprocess.Popen(['/bin/sleep', '600']).pid)\n"
        "time.sleep(600)"
    )
    grandchild = int((await scene.hears(1))[0])
    await scene.supervisor.stop(["worker"])
    assert await_death(grandchild)


async def test_lines_of_any_length_are_heard_and_logged(scene: Scene) -> None:
    """A line far longer than a pipe's buffer neither blocks the program nor is lost."""
    scene.keep("print('x' * 300_000); print('done'); import time; time.sleep(600)")
    await scene.hears(2)
    await scene.supervisor.stop(["worker"])
    assert [len(line) for line in scene.heard] == [300_000, 4]
    assert scene.log.stat().st_size == 300_000 + 1 + 4 + 1


async def test_a_log_that_cannot_be_written_stops_nobody(scene: Scene) -> None:
    """As on a full disk: that is said once, and every line is heard all the same."""
    scene.log.symlink_to("/dev/full")
    scene.keep("print('one', flush=True); print('two'); import time; time.sleep(600)")
    told = f"{scene.log} cannot be written to (No space left on device)"
    assert await scene.hears(3) == [told, "one", "two"]
    await scene.supervisor.stop(["worker"])


@pytest.mark.parametrize(
    ("crashes", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (10_000, 30.0)]
)
def test_backoff_doubles_up_to_half_a_minute(crashes: int, seconds: float) -> None:
    """0.5 s, 1 s, 2 s and so on, never more than 30 s."""
    assert backoff_s(crashes) == seconds


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (-9, "killed by SIGKILL"),
        (-99, "killed by signal 99"),
    ],
)
def test_an_ending_is_told_in_words(code: int, words: str) -> None:
    """Exit codes and signals by the names people know."""
    assert ending(code) == words
