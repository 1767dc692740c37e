"""What is in the images, and what is not."""

import json
import re
from typing import Any

import pytest

from tests.containers.engine import MARKS, ROOT, SERVICES, docker, image

pytestmark = [*MARKS, pytest.mark.usefixtures("images")]

# Every package of an image, as name==version.
LISTED = """
from importlib.metadata import distributions
for found in distributions():
    print(found.metadata["Name"].lower().replace("_", "-"), found.version, sep="==")
"""
# Who may have what; nobody may have what stands under no name.
ONLY_IN = {
    "pandas": {"ingest"},
    "yfinance": {"ingest"},
    "pip": set(),
    "setuptools": set(),
    "pytest": set(),
    "polars": {"ingest", "signals"},
    "numpy": {"ingest"},
    "sqlalchemy": {"ingest", "indicators", "signals"},
    "httpx": {"ingest", "notifier"},
    "fastapi": {"ingest", "indicators", "signals", "charts"},
    "websockets": {"ingest", "charts"},
}


def inside(service: str, *command: str) -> str:
    """What a command prints in a container of the image that reaches no network."""
    return docker("run", "--rm", "--network", "none", "--read-only", image(service), *command)


@pytest.fixture(scope="module")
def packages() -> dict[str, set[str]]:
    """Each image's packages."""
    return {s: set(inside(s, "python", "-c", LISTED).split()) for s in SERVICES}


def test_packages_are_those_of_the_lock(packages: dict[str, set[str]]) -> None:
    """Every installed package has the version that requirements.lock holds."""
    lock = (ROOT / "requirements.lock").read_text("utf-8").lower()
    locked = {f"{n.replace('_', '-')}=={v}" for n, v in re.findall(r"(?m)^([\w.-]+)==(\S+)", lock)}
    for service in SERVICES:
        assert "faststream" in {one.split("==")[0] for one in packages[service]}
        # The project itself comes as code; what is installed of it is its version.
        assert {one.split("==")[0] for one in packages[service] - locked} == {"tideline"}


def test_no_image_holds_what_only_another_needs(packages: dict[str, set[str]]) -> None:
    """Pandas and numpy are in ingest, the page's WebSockets in charts; no installer stays."""
    found = {
        name: {s for s in SERVICES if name in {one.split("==")[0] for one in packages[s]}}
        for name in ONLY_IN
    }
    assert found == ONLY_IN


@pytest.mark.parametrize("service", SERVICES)
def test_image_holds_its_own_service_only(service: str) -> None:
    """The code of the other four is not there, and neither are tests."""
    assert inside(service, "ls", "services").split() == [service]
    assert set(inside(service, "ls").split()) == {
        "LICENSE", "THIRD_PARTY.md", "services", "shared", "tideline",
    }  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_image_runs_as_nobody_in_particular(service: str) -> None:
    """Not root; stopped by SIGTERM; its health check needs nothing but Python."""
    config: dict[str, Any] = json.loads(docker("inspect", image(service)))[0]["Config"]
    assert config["User"] == "tideline"
    assert inside(service, "id", "-u") == "10001"
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "shared.service.probe"]
    assert config["Cmd"] == ["python", "-m", "shared.service.start", f"services.{service}"]
