"""What the Compose file promises on paper; needs no engine."""

from typing import Any

import pytest
import yaml

from tests.containers.engine import ROOT, SERVICES, compose_command, run
from tideline.catalogue import settings

# Set once for all in the image, or told apart by container.
NOT_HANDED_ON = {
    "TIDELINE_DATA_DIR",  # where each image has a place for a volume
    "TIDELINE_ARCHIVE_DIR",  # beside the data, in a volume of its own
    "TIDELINE_WORKER",  # one name for all replicas would make them one worker
    "TIDELINE_PUBLIC_HOST",
    "TIDELINE_PUBLIC_PORT",  # the host's side of the published port
    "TIDELINE_INTERNAL_HOST",
    "TIDELINE_INTERNAL_PORT",
}
# Services that own tables: they get the database's address, or a volume for their file.
WITH_TABLES = {"ingest", "indicators", "signals"}
DATA = "/var/lib/tideline"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, its anchors resolved."""
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_reaches_its_service(compose: dict[str, Any], service: str) -> None:
    """Whatever is set in the shell or in .env is handed on: no setting is silently ignored."""
    wanted = {s.name for s in settings() if s.section in ("common", service)} - NOT_HANDED_ON
    if service not in WITH_TABLES:
        wanted.remove("DATABASE_URL")
    hint = "run `python -m tests.cli.settings_pages` to write them anew"
    assert set(compose["services"][service]["environment"]) == wanted, hint


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
    """The page, and each API on as many as it may have replicas: all on the loopback address."""
    ports = {name: one.get("ports", []) for name, one in compose["services"].items()}
    assert {name: p for name, p in ports.items() if p} == {
        "charts": ["127.0.0.1:${TIDELINE_PUBLIC_PORT:-8000}:8000"],
        "ingest": ["127.0.0.1:${INGEST_PORTS:-8010-8019}:8000"],
        "indicators": ["127.0.0.1:${INDICATORS_PORTS:-8020-8029}:8000"],
        "signals": ["127.0.0.1:${SIGNALS_PORTS:-8030-8039}:8000"],
    }


def test_log_lives_in_a_named_volume(compose: dict[str, Any]) -> None:
    """Redis keeps its append-only file where a new container finds it."""
    assert compose["services"]["redis"]["volumes"] == ["redis-data:/data"]
    assert "redis-data" in compose["volumes"]
    assert "--appendonly yes" in compose["services"]["redis"]["command"]
    assert "noeviction" in compose["services"]["redis"]["command"]


def test_every_service_with_tables_is_known() -> None:
    """Whoever has migrations has tables."""
    found = {s for s in SERVICES if (ROOT / "services" / s / "migrations").is_dir()}
    assert found <= WITH_TABLES


@pytest.mark.parametrize("service", SERVICES)
def test_tables_live_in_named_volumes(compose: dict[str, Any], service: str) -> None:
    """One for each service that owns tables, where its image keeps them."""
    mounted = [f"{service}-data:{DATA}"] if service in WITH_TABLES else []
    mounted += [f"archive:{DATA}/archive"] if service == "ingest" else []
    assert compose["services"][service].get("volumes", []) == mounted
    assert (f"{service}-data" in compose["volumes"]) == (service in WITH_TABLES)
    assert "archive" in compose["volumes"]
    assert f"TIDELINE_DATA_DIR={DATA}" in (ROOT / "deploy/Dockerfile").read_text("utf-8")


def test_postgres_is_there_for_the_asking(compose: dict[str, Any]) -> None:
    """Only in its profile; nobody depends on it, its data is in a volume, its port is its own."""
    postgres = compose["services"]["postgres"]
    assert postgres["profiles"] == ["postgres"]
    assert postgres["volumes"] == ["postgres-data:/var/lib/postgresql/data"]
    assert "postgres-data" in compose["volumes"]
    assert "ports" not in postgres
    assert "pg_isready" in postgres["healthcheck"]["test"]


@pytest.mark.parametrize("profile", [[], ["--profile", "postgres"]], ids=["plain", "postgres"])
def test_installed_compose_takes_the_file(profile: list[str]) -> None:
    """Without a word, whichever version it is."""
    command = compose_command()
    if not command:
        pytest.skip("no docker-compose on this machine")
    file = str(ROOT / "docker-compose.yml")
    done = run(*command, "--file", file, *profile, "config", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
