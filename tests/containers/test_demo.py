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

pytestmark = MARKS


def test_every_container_becomes_healthy(demo: Project) -> None:
    """Redis and the five services say of themselves that they are ready."""
    eventually(demo.healthy, "all six containers are healthy")
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
    eventually(demo.healthy, "all containers are healthy")
    [charts] = demo.containers("charts")
    assert docker("port", charts) == f"8000/tcp -> 127.0.0.1:{demo.page_port}"
    with urlopen(f"{demo.page}/", timeout=120) as answer:  # noqa: S310
        assert b"Tideline" in answer.read()
    with urlopen(f"{demo.page}/api/v1/candles?symbol=EURUSD&timeframe=1m", timeout=120) as answer:  # noqa: S310
        assert len(json.load(answer)["candles"]) > 100


@pytest.mark.parametrize("service", SERVICES)
def test_service_cannot_write_to_its_file_system(demo: Project, service: str) -> None:
    """Whoever breaks in leaves nothing behind: not in the code, not in the packages."""
    [container] = demo.containers(service)
    for path in ("/app/x", "/opt/x", "/etc/x"):
        done = run("docker", "exec", container, "touch", path)
        assert "Read-only file system" in done.stderr


def test_stop_is_clean(demo: Project) -> None:
    """A stopped service ends by itself with exit code 0: nobody has to kill it."""
    eventually(demo.healthy, "all containers are healthy")
    found = [demo.containers(service)[0] for service in SERVICES]
    stop(*found)
    assert exit_codes(*found) == [0] * len(SERVICES)
