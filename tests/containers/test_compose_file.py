"""What the Compose file promises on paper; needs no engine."""

from typing import Any

import pytest
import yaml

from tests.containers.engine import ROOT, SERVICES, compose_command, run
from tideline.catalogue import settings

# Set once for all in the image, or told apart by container.
NOT_HANDED_ON = {
    "DATABASE_URL",  # no service asks for it yet
    "TIDELINE_WORKER",  # one name for all replicas would make them one worker
    "TIDELINE_PUBLIC_HOST",
    "TIDELINE_PUBLIC_PORT",  # the host's side of the published port
    "TIDELINE_INTERNAL_HOST",
    "TIDELINE_INTERNAL_PORT",
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, its anchors resolved."""
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_reaches_its_service(compose: dict[str, Any], service: str) -> None:
    """Whatever is set in the shell or in .env is handed on: no setting is silently ignored."""
    wanted = {s.name for s in settings() if s.section in ("common", service)}
    assert set(compose["services"][service]["environment"]) == wanted - NOT_HANDED_ON


@pytest.mark.parametrize("service", SERVICES)
def test_services_start_with_no_more_rights_than_they_need(
    compose: dict[str, Any], service: str
) -> None:
    """Read-only file system, no capabilities, nothing to gain; started when Redis is healthy."""
    one = compose["services"][service]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert one["build"]["target"] == service


def test_ports_are_open_to_this_machine_alone(compose: dict[str, Any]) -> None:
    """Only the page is published, and only on the loopback address."""
    ports = {name: one.get("ports", []) for name, one in compose["services"].items()}
    assert {name: p for name, p in ports.items() if p} == {
        "charts": ["127.0.0.1:${TIDELINE_PUBLIC_PORT:-8000}:8000"]
    }


def test_log_lives_in_a_named_volume(compose: dict[str, Any]) -> None:
    """Redis keeps its append-only file where a new container finds it."""
    assert compose["services"]["redis"]["volumes"] == ["redis-data:/data"]
    assert "redis-data" in compose["volumes"]
    assert "--appendonly yes" in compose["services"]["redis"]["command"]
    assert "noeviction" in compose["services"]["redis"]["command"]


def test_installed_compose_takes_the_file() -> None:
    """Without a word, whichever version it is."""
    command = compose_command()
    if not command:
        pytest.skip("no docker-compose on this machine")
    done = run(*command, "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
