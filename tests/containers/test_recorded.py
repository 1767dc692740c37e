"""Recorded markets through the containers: equal to the oracle, whatever is killed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl
import pytest

from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.topics import StageName
from shared.events import AlertFired, CandleIn
from tests.containers.engine import MARKS, ROOT, NewProject, Project, docker
from tests.integration.house import ended, played_out, topic
from tests.integration.oracle import assert_equals_oracle

pytestmark = MARKS

FILE = "corr_vix_spy_1m_20190211_15.csv.gz"
SYMBOLS = ("VIX", "SPY", "QQQ", "GLD", "VXXB")
# Few partitions, or a week of their heartbeats would be most of what is played.
KEYS = Keys(partitions=5)
TWO_OF_EACH = dict.fromkeys(("ingest", "indicators", "signals", "notifier"), 2)
# Whose death is felt most: the stage of each service that the next one waits for.
STAGE_OF: dict[str, StageName] = {
    "ingest": "feed",
    "indicators": "indicators",
    "signals": "signals",
    "notifier": "sender",
}
# Of some 12,000 candles that close.
_MIDDLE = 3_000
_WAIT_S = 600
_LOOK_S = 0.1
# As fast as it goes, and slower where it would be over before anything is killed.
_SPEEDS = (0, 12_000, 3_000)

Player = Callable[..., Project]


@pytest.fixture
def player(new_project: NewProject, recorded: Path) -> Iterator[Player]:
    """Makes projects that play a week of five symbols; none of them outlives the test."""
    instruments = ROOT / "tests/integration/instruments.toml"
    volumes = [f"{recorded / FILE}:/recorded/{FILE}:ro", f"{instruments}:/instruments.toml:ro"]
    made: list[Project] = []

    def make(speed: int = 0) -> Project:
        settings = {
            "TIDELINE_PARTITIONS": str(KEYS.partitions),
            "TIDELINE_INGEST__FEED": "file",
            "TIDELINE_INGEST__FILE": f"/recorded/{FILE}",
            "TIDELINE_INGEST__INSTRUMENTS": "/instruments.toml",
            "TIDELINE_INGEST__SPEED": str(speed),
        }
        made.append(new_project(settings=settings, more={"ingest": {"volumes": volumes}}))
        return made[-1]

    yield make
    for project in made:
        project.down()


@asynccontextmanager
async def log_of(project: Project) -> AsyncIterator[RedisLog]:
    """The project's log, read from outside."""
    log = RedisLog(project.redis_url, KEYS)
    yield log
    await log.close()


async def assert_whole(log: RedisLog, recorded: Path) -> None:
    """Spine equal to the file, streams equal to the oracle, an alert for every signal."""
    spine = await topic(log, "tick")
    prices = [e for part in spine.values() for e in part if isinstance(e, CandleIn)]
    rejected = sum(len(part) for part in (await topic(log, "dead_letter")).values())
    assert len(prices) + rejected == pl.read_csv(recorded / FILE).height
    assert await assert_equals_oracle(log, spine) > 20_000
    signals = [e.id for part in (await topic(log, "signal_generated")).values() for e in part]
    alerts = [e for part in (await topic(log, "alert_fired")).values() for e in part]
    receipts = [e for e in alerts if isinstance(e, AlertFired)]
    assert len(signals) > 10
    assert sorted(receipt.signal for receipt in receipts) == sorted(signals)
    assert {receipt.status for receipt in receipts} == {"delivered"}


@pytest.mark.parametrize("scale", [{}, TWO_OF_EACH], ids=["one of each", "two of each"])
async def test_recorded_market_equals_the_oracle(
    player: Player, recorded: Path, scale: dict[str, int]
) -> None:
    """Replicas that share the partitions write what one of each writes."""
    project = player()
    project.up(**scale)
    async with asyncio.timeout(_WAIT_S), log_of(project) as log:
        await played_out(log)
        await assert_whole(log, recorded)


async def test_replicas_killed_in_the_middle_change_nothing(player: Player, recorded: Path) -> None:
    """One of two replicas of every service is killed at once, under load: nothing is missing."""
    for speed in _SPEEDS:
        project = player(speed)
        project.up(**TWO_OF_EACH)
        async with asyncio.timeout(_WAIT_S), log_of(project) as log:
            if await killed_in_the_middle(project, log):
                await played_out(log)
                await assert_whole(log, recorded)
                return
        project.down()
    raise AssertionError("the file was over before anything was killed, at every speed")


async def killed_in_the_middle(project: Project, log: RedisLog) -> bool:
    """Kill the busiest replica of every service; whether the file was still being played then."""
    await halfway(log)
    victims = [await busiest(log, project, service) for service in TWO_OF_EACH]
    docker("kill", "--signal", "KILL", *victims)
    return len(await ended(log)) < KEYS.partitions


async def halfway(log: RedisLog) -> None:
    """Wait until a good part of the file is on the spines."""
    reads, written = RedisReads(log.redis, KEYS), 0
    while written < _MIDDLE:
        written = sum(size.added for size in await reads.sizes("candle_closed"))
        await asyncio.sleep(0.02)


async def busiest(log: RedisLog, project: Project, service: str) -> str:
    """The replica that owns most of the partitions where something happens."""
    stage, replicas = STAGE_OF[service], project.containers(service)
    leases = [KEYS.lease(partition_of(symbol, KEYS.partitions), stage) for symbol in SYMBOLS]
    owners: list[str] = []
    while not owners:
        found = [str(await log.redis.hget(lease, "owner")).rpartition("-")[0] for lease in leases]
        owners = [owner for owner in found if owner in replicas]
        await asyncio.sleep(_LOOK_S)
    return max(set(owners), key=owners.count)
