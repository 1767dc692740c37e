"""The Docker engine and Compose projects of tests: all through the command line."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# Of the names of Compose projects; a number of the run and one of the project follow.
PREFIX = "tideline-test-"
SERVICES = ("ingest", "indicators", "signals", "notifier", "charts")
MARKS = [
    pytest.mark.containers,
    # Without what fixtures take, for the first test waits for the images; those end by themselves.
    pytest.mark.timeout(900, func_only=True),
]
# All of this is for machines that are busy with other tests: only what hangs takes so long.
_COMMAND_S = 300.0
_PATIENCE_S = 300.0
_STOP_S = 120
_POLL_S = 0.2
# Redis may go while a service starts beside it; what is broken ends every time.
_RESTARTS_MAX = 3


def run(
    *command: str, timeout_s: float = _COMMAND_S, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run to the end, whatever comes of it."""
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=timeout_s, **options
    )


def docker(*arguments: str, timeout_s: float = _COMMAND_S) -> str:
    """What ``docker`` prints.

    Raises:
        AssertionError: it failed; the message holds what it said.
    """
    done = run("docker", *arguments, timeout_s=timeout_s)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def why_not() -> str | None:
    """Why nothing is to run in containers here, or None."""
    if shutil.which("docker") is None:
        return "no docker on this machine"
    if run("docker", "info", "--format", "{{.ServerVersion}}").returncode != 0:
        return "no Docker engine answers: docker info fails"
    if not compose_command():
        return "neither docker-compose nor the compose plugin of docker is on this machine"
    return None


def compose_command() -> list[str]:
    """``docker-compose`` or ``docker compose``, whichever there is."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    return ["docker", "compose"] if run("docker", "compose", "version").returncode == 0 else []


def image(service: str) -> str:
    """The tests' own name of a service's image, so that nobody else's is replaced."""
    return f"tideline-test-{service}"


def stop(*containers: str) -> None:
    """Tell containers to stop, and give them all the time they need for it."""
    docker("stop", "--time", str(_STOP_S), *containers)


def exit_codes(*containers: str) -> list[int]:
    """How containers have ended."""
    found = docker("inspect", "--format", "{{.State.ExitCode}}", *containers)
    return [int(code) for code in found.split()]


def has_handler(container: str, number: signal.Signals) -> bool:
    """Whether a container's first process would hear a signal; without, the kernel drops it."""
    pid = docker("inspect", "--format", "{{.State.Pid}}", container)
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def eventually(done: Callable[[], bool], what: str, timeout_s: float = _PATIENCE_S) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it is not so in time.
    """
    start = time.monotonic()
    while not done():
        assert time.monotonic() - start < timeout_s, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(_POLL_S)


@dataclass(slots=True)
class Project:
    """One Compose project of the repository's own file, with ports that nobody else uses.

    ``settings`` are environment variables; ``more`` adds to services, as a Compose file would.
    """

    name: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    page_port: int = field(default_factory=free_port)
    redis_port: int = field(default_factory=free_port)

    @property
    def page(self) -> str:
        """Where a browser finds the page."""
        return f"http://127.0.0.1:{self.page_port}"

    @property
    def redis_url(self) -> str:
        """The project's Redis as seen from this machine."""
        return f"redis://127.0.0.1:{self.redis_port}/0"

    def compose(
        self, *arguments: str, timeout_s: float = _COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        """Run Compose on this project."""
        added: dict[str, dict[str, Any]] = {s: {"image": image(s)} for s in SERVICES}
        added["redis"] = {"ports": [f"127.0.0.1:{self.redis_port}:6379"]}
        for service, keys in self.more.items():
            added.setdefault(service, {}).update(keys)
        override = self.folder / "override.yml"
        override.write_text(json.dumps({"version": "3.9", "services": added}))
        # A developer's own .env beside the Compose file is not the tests' business.
        nothing = self.folder / "empty.env"
        nothing.write_text("")
        files = [str(ROOT / "docker-compose.yml"), str(override)]
        command = [*compose_command(), "--env-file", str(nothing), "--project-name", self.name]
        command += [word for file in files for word in ("--file", file)]
        ours = ("TIDELINE_", "REDIS_", "DATABASE_URL", "POSTGRES_", "LOG_LEVEL", "COMPOSE_")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        # Whichever ports are free, for the APIs.
        ports = dict.fromkeys(("INGEST_PORTS", "INDICATORS_PORTS", "SIGNALS_PORTS"), "0")
        settings = {"TIDELINE_PUBLIC_PORT": str(self.page_port), **ports, **self.settings}
        return run(*command, *arguments, timeout_s=timeout_s, env=clean | settings)

    def up(self, *services: str, **scale: int) -> None:
        """Start services, all of them unless named, with so many replicas."""
        scales = [word for name, n in scale.items() for word in ("--scale", f"{name}={n}")]
        done = self.compose("up", "--detach", "--no-build", *scales, *services)
        assert done.returncode == 0, done.stderr

    def down(self) -> None:
        """Remove everything, the volumes too, whatever state it is in."""
        done = self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
        if done.returncode != 0:
            remove(self.name)

    def containers(self, service: str | None = None) -> list[str]:
        """Short ids of a service's containers, or all; a container's host name is its id."""
        labels = [f"label=com.docker.compose.project={self.name}"]
        labels += [f"label=com.docker.compose.service={service}"] if service else []
        filters = [word for label in labels for word in ("--filter", label)]
        return docker("ps", "--all", "--quiet", *filters).split()

    def await_healthy(self) -> None:
        """Wait until every container says of itself that it is.

        Raises:
            AssertionError: one of them ends again and again, or takes too long.
        """
        eventually(self._healthy, f"all containers of {self.name} are healthy")

    def _healthy(self) -> bool:
        shape = "{{.Name}} {{.RestartCount}} {{.State.Health.Status}}"
        found = docker("inspect", "--format", shape, *self.containers()).splitlines()
        states = [line.split() for line in found]
        for name, restarts, _ in states:
            if int(restarts) > _RESTARTS_MAX:
                said = run("docker", "logs", "--tail", "20", name.lstrip("/"))
                raise AssertionError(f"{name} ends again and again:\n{said.stdout}{said.stderr}")
        return len(states) > 0 and {state for *_, state in states} == {"healthy"}

    def logs(self, service: str) -> str:
        """What a service has printed."""
        return self.compose("logs", "--no-color", service).stdout


def remove(project: str) -> None:
    """Take a project's containers, networks and volumes away without asking Compose."""
    chosen = ("--filter", f"label=com.docker.compose.project={project}")
    for listing, removing in (
        (("ps", "--all", "--quiet"), ("rm", "--force", "--volumes")),
        (("network", "ls", "--quiet"), ("network", "rm")),
        (("volume", "ls", "--quiet"), ("volume", "rm", "--force")),
    ):
        found = docker(*listing, *chosen).split()
        if found:
            docker(*removing, *found)


def remove_orphans() -> None:
    """Take away what test runs left that were killed; a run's process id is in its names."""
    shape = '{{.Label "com.docker.compose.project"}}'
    found = docker("ps", "--all", "--format", shape).split()
    for project in {name for name in found if name.startswith(PREFIX)}:
        pid = project.removeprefix(PREFIX).partition("-")[0]
        if not Path(f"/proc/{pid}").exists():
            remove(project)


NewProject = Callable[..., Project]
