"""A clean place to run the command line in: no settings, nothing running."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.service.settings import PREFIX
from tests import ports
from tests.cli.processes import valkey
from tideline.cli import outcome
from tideline.embedded import EmbeddedServer

Tideline = Callable[..., tuple[int, str, str]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, without any setting but where launchers leave their notes."""
    for name in list(os.environ):
        if name.startswith(PREFIX) or name in {"REDIS_URL", "DATABASE_URL", "LOG_LEVEL"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("TIDELINE_LAUNCHER__RUN_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tideline(place: Path, capfd: pytest.CaptureFixture[str]) -> Tideline:
    """Runs the command line in this process: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = outcome(list(arguments))
        streams = capfd.readouterr()
        return code, streams.out, streams.err

    return run


@pytest.fixture
def free_port() -> int:
    """A port of this machine that nobody listens on."""
    return ports.free_port()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[str]:
    """The address of a server that a test may set up badly."""
    server = EmbeddedServer(tmp_path / "own", tmp_path / "s")
    with valkey(server):
        yield server.url
