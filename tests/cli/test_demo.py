"""The demo and `up` as people run them: everything comes up, works, and goes away again."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cli.processes import Started, await_death, started, valkey
from tests.ports import free_port
from tideline.embedded import EmbeddedServer

# All on one worker, one after the other: each is six processes on few cores.
pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(400)]

# Charts, with the routes of all services, run as "web".
CHILDREN = {"valkey-server", "ingest", "indicators", "signals", "notifier", "web"}
UP = "Tideline is up"
# Read by every Python that is started: ingest, which is started last, never gets ready.
NEVER_UP = """
import sys, time
if "services.ingest" in sys.orig_argv:
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short, for a socket's path must be."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one test's own."""
    return tmp_path_factory.mktemp("d")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[tuple[Started, dict[str, int], str]]:
    """A demo of 15 seconds that has ended, the children it had, and its page."""
    port = free_port()
    # As where people keep what is real: a demo has no part in it.
    real = {"TIDELINE_ARCHIVE_DIR": str(folder / "archive"), "TIDELINE_INGEST__RECORDER": "true"}
    arguments = ("demo", "--seconds", "15", "--json", "--port", str(port))
    with started(folder, *arguments, **real) as run:
        run.said(UP)
        children = run.children()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            page = answer.read().decode()
        run.ends()
        yield run, children, page


def figures(run: Started) -> dict[str, Any]:
    """The object in the last line."""
    found: dict[str, Any] = json.loads(run.out.splitlines()[-1])
    return found


def test_every_stage_is_at_work(demo: tuple[Started, dict[str, int], str]) -> None:
    """The last line is one JSON object with something in every count, and the exit code is 0."""
    run, _, _ = demo
    assert run.ends() == 0
    found = figures(run)
    for name in ("ticks", "candles", "levels", "signals", "alerts"):
        assert found[name] > 0, name
    assert 0 <= found["p50_ms"] <= found["p99_ms"]
    assert found["dead_letters"] == 0
    # Over when the time is; a machine that stands still then is no part of it.
    assert 15 <= found["seconds"] < 60


def test_the_market_is_called_simulated(demo: tuple[Started, dict[str, int], str]) -> None:
    """In the banner, in every alert, in the summary, in the JSON and on the page."""
    run, _, page = demo
    alerts = [line for line in run.out.splitlines() if line.startswith("ALERT")]
    # The last may have been shown and its receipt not yet written when everything was stopped.
    assert len(alerts) - figures(run)["alerts"] in {0, 1}
    assert all(line.startswith("ALERT SIMULATED ") for line in alerts)
    assert f"{UP} with a SIMULATED market" in run.err
    seconds = f"{figures(run)['seconds']:g}"
    assert re.search(rf"^{re.escape(seconds)} s of a SIMULATED market: ", run.err, re.MULTILINE)
    assert figures(run)["market"] == "simulated"
    assert "<html" in page


def test_a_demo_leaves_nothing(demo: tuple[Started, dict[str, int], str], folder: Path) -> None:
    """No process, no socket, no data: only the lock that launchers meet at."""
    run, children, _ = demo
    assert set(children) == CHILDREN
    assert run.ends() == 0
    assert [name for name, pid in children.items() if not await_death(pid)] == []
    assert [path.name for path in (folder / "r").rglob("*")] == ["lock"]
    assert not (folder / "archive").exists()


def test_progress_is_plain_lines_where_no_terminal_is(
    demo: tuple[Started, dict[str, int], str],
) -> None:
    """No colours and no cursor movements in a pipe or file."""
    run, _, _ = demo
    assert "\x1b" not in run.out + run.err
    assert run.err.splitlines()[:3] == [
        "starting the embedded Valkey",
        "starting notifier, signals, indicators and charts",
        "starting ingest",
    ]


def test_a_reader_that_has_seen_enough_ends_the_demo(place: Path) -> None:
    """`tideline demo | head -1` stops everything in order, without a traceback."""
    demo = f"{sys.executable} -m tideline demo --port {free_port()}"
    run = subprocess.run(
        ["/bin/sh", "-c", f"{{ {demo}; echo ended with $? >&2; }} | head -n 1"],
        capture_output=True,
        text=True,
        cwd=place,
        check=False,
        env={**os.environ, "TIDELINE_LAUNCHER__RUN_DIR": str(place / "r")},
    )
    assert run.stdout.startswith("ALERT SIMULATED ")
    assert "Traceback" not in run.stderr
    assert run.stderr.endswith("ended with 0\n")
    assert [path.name for path in (place / "r").rglob("*")] == ["lock"]


def test_what_is_killed_comes_back_and_ctrl_c_stops_all(place: Path) -> None:
    """One line tells of each crash, even the server's; Ctrl-C ends with a summary and 0."""
    with started(place, "demo", "--port", str(free_port())) as run:
        run.said(UP)
        before = run.children()
        os.kill(before["indicators"], signal.SIGKILL)
        run.said("indicators stopped unexpectedly (killed by SIGKILL); starting it again in 0.5 s")
        while run.children().get("indicators") in {None, before["indicators"]}:
            time.sleep(0.1)
        run.said("ALERT SIMULATED")
        os.kill(before["valkey-server"], signal.SIGKILL)
        run.said("valkey stopped unexpectedly (killed by SIGKILL); starting it again in 0.5 s")
        alerts = run.out.count("ALERT")
        while run.out.count("ALERT") == alerts:
            time.sleep(0.1)
        after = run.children()
        run.process.send_signal(signal.SIGINT)
        assert run.ends() == 0
        assert "s of a SIMULATED market: " in run.err
    assert [name for name, pid in after.items() if not await_death(pid)] == []


def test_a_killed_launcher_leaves_nothing_running(place: Path) -> None:
    """SIGKILL of the launcher takes every child along."""
    with started(place, "demo", "--port", str(free_port())) as run:
        run.said(UP)
        children = run.children()
        assert set(children) == CHILDREN
        run.process.kill()
    assert [name for name, pid in children.items() if not await_death(pid)] == []


def test_stopping_during_the_start_is_clean(place: Path) -> None:
    """Ctrl-C before anything is up ends with 130 and leaves nothing."""
    (place / "sitecustomize.py").write_text(NEVER_UP)
    demo = ("demo", "--port", str(free_port()))
    with started(place, *demo, PYTHONPATH=str(place)) as run:
        run.said("starting notifier")
        children = run.children()
        run.process.send_signal(signal.SIGTERM)
        assert run.ends() == 130
    assert [name for name, pid in children.items() if not await_death(pid)] == []


def test_a_file_is_played_to_its_end_on_a_given_server(place: Path) -> None:
    """Every row counts, what is stepped over is named, and no key is left on the server."""
    rows = [
        f"2026-06-10T14:{n // 60:02}:{n % 60:02}Z,EURUSD,{1.1 + n / 100_000:.5f}"
        for n in range(600)
    ]
    rows[300] = "2026-06-10T14:05:00Z,EURUSD,-1"
    (place / "ticks.csv").write_text("time,symbol,price\n" + "\n".join(rows) + "\n")
    server = EmbeddedServer(place / "own", place / "s")
    with (
        valkey(server) as client,
        started(
            place,
            *("demo", "--file", "ticks.csv", "--json", "--port", str(free_port())),
            REDIS_URL=server.url,
        ) as run,
    ):
        run.ends()
        found = figures(run)
        assert (found["ticks"], found["dead_letters"]) == (599, 1)
        assert found["market"] == "ticks.csv"
        assert "dead letter: EURUSD feed 1: ticks.csv, row 302: price -1.0 is not" in run.err
        assert "with recorded prices out of ticks.csv" in run.err
        assert isinstance(client, redis.Redis)
        assert client.keys() == []


def test_a_bad_file_is_one_line(place: Path) -> None:
    """What the feed says of the file is what the demo says, with exit code 2."""
    (place / "bad.csv").write_text("a,b\n1,2\n")
    with started(place, "demo", "--file", "bad.csv", "--port", str(free_port())) as run:
        assert run.ends() == 2
        last = run.err.splitlines()[-1]
    assert last.startswith("tideline: ")
    assert "bad.csv: no time column among a, b" in last
    assert "Traceback" not in run.err


def test_a_further_worker_joins_what_is_running(place: Path) -> None:
    """`tideline run` finds the launcher at work, takes part, and leaves it in peace."""
    with started(place, "up", "--port", str(free_port())) as up:
        up.said(UP)
        second = place / "second"
        second.mkdir()
        shared = {"TIDELINE_LAUNCHER__RUN_DIR": str(place / "r")}
        with started(second, "run", "indicators", **shared) as worker:
            worker.said(f"joining the running `tideline up` (pid {up.process.pid})")
            members = workers(place, "indicators", 2)
            assert "indicators-1" in members
            worker.process.send_signal(signal.SIGINT)
            assert worker.ends() == 0
        # It has the same tables as the others, wherever it was started.
        assert not (second / ".tideline").exists()
        assert up.process.poll() is None


def workers(place: Path, service: str, count: int) -> set[str]:
    """The workers that a running launcher's ops topic tells of, once there are so many."""
    found: set[str] = set()
    for _ in range(100):
        (place / "tail").mkdir(exist_ok=True)
        shared = {"TIDELINE_LAUNCHER__RUN_DIR": str(place / "r")}
        with started(place / "tail", "tail", "ops", "-n", "1000", "--json", **shared) as tail:
            assert tail.ends() == 0
            told = [json.loads(line) for line in tail.out.splitlines()]
        found = {one["worker"] for one in told if one["service"] == service}
        if len(found) >= count:
            break
    return found


def test_up_keeps_its_data_and_its_place(place: Path) -> None:
    """A second launcher on the same data is refused; after a stop the data is still there."""
    with started(place, "up", "--port", str(free_port())) as run:
        run.said(UP)
        (place / "second").mkdir()
        second = {"TIDELINE_LAUNCHER__STATE_DIR": str(place / ".tideline")}
        with started(place / "second", "up", "--port", str(free_port()), **second) as other:
            assert other.ends() == 1
            assert other.err == (
                f"tideline: another tideline uses {place}/.tideline; stop it, "
                "or set TIDELINE_LAUNCHER__STATE_DIR\n"
            )
        run.process.send_signal(signal.SIGTERM)
        assert run.ends() == 0
    assert (place / ".tideline/valkey/appendonlydir").is_dir()
    logs = {path.stem for path in (place / ".tideline/logs").iterdir()}
    assert logs == {"valkey", "ingest", "indicators", "signals", "notifier", "charts"}
