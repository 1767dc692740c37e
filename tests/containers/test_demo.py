"""The project as everybody starts it: everything is up, and alerts arrive."""

import json
from urllib.request import urlopen

import pytest
import redis

from shared.bus.keys import Keys
from tests.containers.engine import (
    MARKS,
    SERVICES,
    Project,
    docker,
    eventually,
    exit_codes,
    run,
    stop,
)
from tideline.trouble import listed

pytestmark = MARKS

DATA = "/var/lib/tideline"


def test_every_container_becomes_healthy(demo: Project) -> None:
    """Redis and the five services say of themselves that they are ready."""
    demo.await_healthy()
    assert len(demo.containers()) == 6


def test_alert_arrives(demo: Project) -> None:
    """It is on the log, and the notifier's console tells it as simulated."""
    keys = Keys()
    with redis.Redis.from_url(demo.redis_url) as client:
        topics = [keys.topic(partition, "alert_fired") for partition in range(keys.partitions)]
        eventually(lambda: any(client.xlen(topic) for topic in topics), "an alert is on the log")
    eventually(lambda: "ALERT SIMULATED" in demo.logs("notifier"), "the console tells an alert")


def test_page_and_its_data_are_served_on_the_loopback_address(demo: Project) -> None:
    """The page, its chart library and the candles of the simulated market."""
    demo.await_healthy()
    [charts] = demo.containers("charts")
    assert docker("port", charts) == f"8000/tcp -> 127.0.0.1:{demo.page_port}"
    with urlopen(f"{demo.page}/", timeout=120) as answer:  # noqa: S310
        assert b"Tideline" in answer.read()
    with urlopen(f"{demo.page}/api/v1/candles?symbol=EURUSD&timeframe=1m", timeout=120) as answer:  # noqa: S310
        assert len(json.load(answer)["candles"]) > 100


@pytest.mark.parametrize("service", ["ingest", "indicators", "signals"])
def test_every_api_is_served_on_the_loopback_address(demo: Project, service: str) -> None:
    """Each on a port of its own, with a description of its routes."""
    [container] = demo.containers(service)
    address = docker("port", container, "8000/tcp")
    assert address.startswith("127.0.0.1:")
    with urlopen(f"http://{address}/openapi.json", timeout=120) as answer:
        assert len(json.load(answer)["paths"]) > 1


def test_tables_and_archive_are_in_their_volumes(demo: Project) -> None:
    """Written by the services' own user, so that a new container finds them."""
    [ingest] = demo.containers("ingest")

    def kept() -> bool:
        found = run("docker", "exec", ingest, "ls", DATA, f"{DATA}/archive").stdout
        return "ingest.sqlite3" in found and "tideline" in found.split()

    eventually(kept, "tables and recorded topics are on the disk")


@pytest.mark.parametrize("service", SERVICES)
def test_service_cannot_write_to_its_file_system(demo: Project, service: str) -> None:
    """Whoever breaks in leaves nothing behind: not in the code, not in the packages."""
    [container] = demo.containers(service)
    for path in ("/app/x", "/opt/x", "/etc/x"):
        done = run("docker", "exec", container, "touch", path)
        assert "Read-only file system" in done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_looking_commands_work_in_every_image(demo: Project, service: str) -> None:
    """Though it holds the code of one service only, and they say so where it matters."""
    demo.await_healthy()
    [container] = demo.containers(service)

    def tideline(*words: str) -> str:
        return docker("exec", container, "tideline", *words)

    eventually(lambda: "delivered" in tideline("tail", "alert_fired"), "an alert is told of")
    assert "alert_intent" in tideline("tail", "alert_intent", "-n", "9000")
    assert tideline("dlq", "list") == ""
    assert "signal_generated" in tideline("topics")
    assert "TIDELINE_NAMESPACE=tideline" in tideline("config", "show").splitlines()
    others = [name for name in SERVICES if name != service]
    assert f"not installed here: {listed(others)}" in tideline("config", "check")
    assert f"only {service} installed" in tideline("doctor")
    assert "tideline [OPTIONS] COMMAND" in tideline("--help")
    assert tideline("version").startswith("tideline ")
    refused = run("docker", "exec", container, "tideline", "up")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"needs {listed(others)}" in refused.stderr


def test_stop_is_clean(demo: Project) -> None:
    """A stopped service ends by itself with exit code 0: nobody has to kill it."""
    demo.await_healthy()
    found = [demo.containers(service)[0] for service in SERVICES]
    stop(*found)
    assert exit_codes(*found) == [0] * len(SERVICES)
