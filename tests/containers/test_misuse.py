"""What goes wrong when containers are started: one clear line, or a wait that says for what."""

import signal
import socket

import pytest

from tests.containers.engine import (
    MARKS,
    SERVICES,
    NewProject,
    docker,
    eventually,
    exit_codes,
    has_handler,
    image,
    run,
    stop,
)

pytestmark = [*MARKS, pytest.mark.usefixtures("images")]

NOWHERE = "redis://127.0.0.1:1/0"
NOWHERE_TOLD = "Redis at redis://127.0.0.1:1 cannot be reached"


def unhealthy(container: str) -> str:
    """What a health check says that must not succeed."""
    asked = run("docker", "exec", container, "python", "-m", "tideline", "healthcheck")
    assert asked.returncode == 1
    return asked.stdout


@pytest.mark.parametrize(
    ("service", "setting", "words"),
    [
        ("signals", "TIDELINE_PARTITIONS=many", "TIDELINE_PARTITIONS"),
        ("charts", "LOG_LEVEL=loud", "LOG_LEVEL"),
        ("notifier", "TIDELINE_NOTIFIRE__X=1", "unknown setting TIDELINE_NOTIFIRE__X"),
        ("indicators", "TIDELINE_INDICATORS__EVERY=[", "TIDELINE_INDICATORS__EVERY: no JSON"),
        ("ingest", "TIDELINE_INGEST__FEED=file", "feed is file, but file is not set"),
        ("ingest", "REDIS_URL_FILE=/run/secrets/redis", "REDIS_URL_FILE: cannot read"),
    ],
)
def test_wrong_setting_ends_with_one_line(service: str, setting: str, words: str) -> None:
    """It names the setting, and the exit code is 2: starting again would not mend it."""
    done = run("docker", "run", "--rm", "--env", setting, image(service))
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("tideline: ")
    assert words in line


@pytest.mark.parametrize("service", SERVICES)
def test_service_waits_for_redis_and_says_so(service: str) -> None:
    """It stays up, tells what it waits for, is not healthy, and stops cleanly when told to."""
    container = docker("run", "--detach", "--env", f"REDIS_URL={NOWHERE}", image(service))
    try:
        eventually(
            lambda: (
                "waiting_for_redis" in run("docker", "logs", container).stdout
                or "waiting_for_redis" in run("docker", "logs", container).stderr
            ),
            f"{service} says that it waits",
        )
        # A health check waits two seconds at most, and a busy machine may take longer.
        eventually(lambda: NOWHERE_TOLD in unhealthy(container), f"{service} says why")
        stop(container)
        assert exit_codes(container) == [0]
    finally:
        docker("rm", "--force", container)


@pytest.mark.parametrize("service", SERVICES)
def test_service_can_be_stopped_before_it_is_up(service: str) -> None:
    """From its first moment: nobody has to kill a container that has only begun to start."""
    container = docker("run", "--detach", "--env", f"REDIS_URL={NOWHERE}", image(service))
    try:
        eventually(lambda: has_handler(container, signal.SIGTERM), "a signal would be heard")
        stop(container)
        assert exit_codes(container) == [0]
    finally:
        docker("rm", "--force", container)


@pytest.mark.parametrize("service", ["ingest", "indicators", "signals"])
def test_tables_that_cannot_be_written_are_named(service: str) -> None:
    """Without a volume that user 10001 may write to: one line, exit code 1."""
    done = run("docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp", image(service))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "tideline: the data directory /var/lib/tideline cannot be written to by user 10001; "
        "mend its owner or set TIDELINE_DATA_DIR\n"
    )


def test_volume_that_cannot_be_written_to_stops_redis(new_project: NewProject) -> None:
    """It says which folder and why, with exit code 1; nothing runs on a log that would be lost."""
    project = new_project(more={"redis": {"volumes": ["redis-data:/data:ro"], "restart": "no"}})
    started = project.compose("up", "--detach", "--no-build")
    assert started.returncode != 0
    assert "redis" in started.stderr
    [container] = project.containers("redis")
    assert exit_codes(container) == [1]
    assert "Can't open or create append-only dir" in project.logs("redis")


def test_port_in_use_is_named(new_project: NewProject) -> None:
    """Compose fails and says which port it is."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        project = new_project(page_port=taken.getsockname()[1])
        started = project.compose("up", "--detach", "--no-build", "charts")
        assert started.returncode != 0
        assert str(project.page_port) in started.stderr
        taken_by_another = ("address already in use", "port is already allocated")
        assert any(words in started.stderr for words in taken_by_another)
