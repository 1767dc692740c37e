"""The service around the stage: its settings, and rule sets on their way to the spine."""

import asyncio
from pathlib import Path

import pytest

from services.signals.adapters.rule_desk import RuleDesk, differences
from services.signals.adapters.rule_files import load
from services.signals.app import STAGE, build_app
from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from services.signals.settings import SignalsSettings
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.step import Step
from shared.clock import SystemClock
from shared.events import Config, ConfigRequested
from shared.service.settings import SettingsError
from tests.integration import house
from tests.signals.play import rule_set

MINE = rule_set({"kind": "touch"})


def test_liquidity_is_on_by_default() -> None:
    """Nothing has to be set for the first alert."""
    section = SignalsSettings().signals
    assert (section.sets, section.rules) == (("liquidity",), ())


def test_lists_in_the_environment_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and paths, spaces around them do not matter, and none at all is possible."""
    monkeypatch.setenv("TIDELINE_SIGNALS__SETS", "")
    monkeypatch.setenv("TIDELINE_SIGNALS__RULES", "a.toml, b.toml")
    section = SignalsSettings.load().signals
    assert (section.sets, section.rules) == ((), ("a.toml", "b.toml"))


def test_a_wrong_rule_file_stops_the_start_with_one_line(tmp_path: Path) -> None:
    """It is told like every other wrong setting."""
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nrules = []')
    settings = SignalsSettings.model_validate({"signals": {"rules": [str(path)]}})
    with pytest.raises(SettingsError, match=r"mine.toml: rules: tuple should have at least 1"):
        build_app(settings)


def test_an_empty_partition_is_asked_to_take_every_set() -> None:
    """Nothing is in force anywhere."""
    (request,) = differences([MINE], [{}, {}], at=7)
    assert (request.kind, request.name, request.version) == ("rules", "test", MINE.version)
    assert (request.symbol, request.at, request.body) == ("*", 7, MINE.body)


def test_nothing_is_asked_for_twice() -> None:
    """All partitions have this very version."""
    assert differences([MINE], [{"test": MINE.version}] * 2, at=7) == []


def test_one_outdated_partition_is_enough() -> None:
    """The writers of the others skip what is in force already."""
    assert len(differences([MINE], [{"test": MINE.version}, {"test": "old"}], at=7)) == 1


def test_a_set_that_is_configured_no_more_is_withdrawn() -> None:
    """Its body is empty, so its rules end where the request reaches the spine."""
    (request,) = differences([MINE], [{"test": MINE.version, "gone": "x"}], at=7)
    assert (request.name, request.body) == ("gone", {})


async def test_requests_reach_every_inbox_until_they_are_in_force(redis_log: RedisLog) -> None:
    """The desk asks, the stage applies, and the desk is content."""

    async def wanted() -> list[RuleSet]:
        return load(["liquidity"], [])

    desk = RuleDesk(redis_log, SystemClock(), wanted)
    asked = await desk.ask()
    assert [request.name for request in asked] == ["liquidity"]
    reads = RedisReads(redis_log.redis, redis_log.keys)
    for partition in range(redis_log.partitions):
        ((_, request),) = await reads.recent(partition, "inbox", 10)
        assert isinstance(request, ConfigRequested)
        for name, text in applied(request).items():
            await redis_log.redis.hset(redis_log.keys.state(partition, "signals"), name, text)
    assert await desk.ask() == []


def applied(request: ConfigRequested) -> dict[str, str]:
    """The stage's state after the writer has put the request on the spine."""
    step = STAGE.restore({})
    fields = request.model_dump(exclude={"pos"})
    step.process([Config(pos=1, **fields)])
    return step.changes()


def test_the_stage_is_a_step() -> None:
    """A type checker reads this: the contract of shared/bus/step.py is fulfilled."""
    step: Step = SignalsStep({})
    assert step.process([]) == []


async def test_it_is_ready_once_its_sets_are_asked_for(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Or whoever waits for it would begin a market that has no rules yet."""
    service = build_app(SignalsSettings(**house.settings(server_url, keys)))
    assert service.not_ready() != []
    async with house.running([service]), asyncio.timeout(60):
        while service.not_ready():  # noqa: ASYNC110 readiness is asked for, not told
            await asyncio.sleep(0.01)
        for partition in range(keys.partitions):
            assert await redis_log.redis.xlen(keys.topic(partition, "inbox")) == 1
