"""Replicas share the partitions without any other change, and take over from each other."""

from collections import Counter

import pytest
import redis

from shared.bus.keys import Keys
from shared.bus.topics import STAGES, StageName
from tests.containers.engine import (
    MARKS,
    NewProject,
    Project,
    eventually,
    exit_codes,
    stop,
)

pytestmark = MARKS

KEYS = Keys()
# The stages of each service that can have replicas.
STAGES_OF: dict[str, tuple[StageName, ...]] = {
    "ingest": ("feed", "candles"),
    "indicators": ("indicators",),
    "signals": ("signals",),
    "notifier": ("notifier", "sender"),
}


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> Project:
    """The demo with two of each service."""
    made = new_project()
    made.up(**dict.fromkeys(STAGES_OF, 2))
    made.await_healthy()
    return made


def owners(project: Project, stage: StageName) -> Counter[str]:
    """How many partitions each container owns, by its short id."""
    found: Counter[str] = Counter()
    with redis.Redis.from_url(project.redis_url, decode_responses=True) as client:
        seconds, micros = client.time()
        for partition in range(KEYS.partitions):
            lease = client.hgetall(KEYS.lease(partition, stage))
            if lease and int(lease["exp"]) > seconds * 1000 + micros // 1000:
                found[lease["owner"].rpartition("-")[0]] += 1
    return found


def test_there_is_a_service_for_every_stage() -> None:
    """The table above is complete."""
    assert {stage for stages in STAGES_OF.values() for stage in stages} == set(STAGES)


@pytest.mark.parametrize("service", STAGES_OF)
def test_two_replicas_share_the_partitions_evenly(project: Project, service: str) -> None:
    """``--scale`` is all it takes: each of the two owns half of every stage's partitions."""
    half = dict.fromkeys(project.containers(service), KEYS.partitions // 2)
    for stage in STAGES_OF[service]:
        eventually(lambda s=stage: owners(project, s) == half, f"{stage} is shared")  # type: ignore[misc]


@pytest.mark.parametrize("service", STAGES_OF)
def test_stopped_replica_hands_over_at_once(project: Project, service: str) -> None:
    """Once it has ended it owns nothing, though no lease has run out; the other one takes all."""
    stopped, other = project.containers(service)
    everything = {other: KEYS.partitions}
    stages = STAGES_OF[service]
    eventually(lambda: all(len(owners(project, s)) == 2 for s in stages), f"{service} is shared")
    stop(stopped)
    left = [owners(project, s)[stopped] for s in stages]
    assert (exit_codes(stopped), left) == ([0], [0] * len(stages))
    eventually(
        lambda: all(owners(project, s) == everything for s in stages), f"{service} taken over"
    )
