"""Two symbols in two partitions on a real server: what one's rules need of the other is relayed."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from services.indicators.app import build_app as build_indicators
from services.indicators.settings import IndicatorsSettings
from services.ingest.app import build_app as build_ingest
from services.ingest.settings import IngestSection, IngestSettings
from services.signals.adapters.rule_files import load
from services.signals.app import build_app as build_signals
from services.signals.domain.others import RELAYED
from services.signals.domain.relaying import known_until, relayed
from services.signals.domain.step import OTHERS_FIELD, SignalsStep
from services.signals.settings import SignalsSection, SignalsSettings
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.topics import StageName
from shared.clock import SystemClock
from shared.events import Config, Event, LevelComputed, SignalGenerated
from shared.events.base import micros
from shared.market.timeframes import Timeframe
from shared.service.frame import Service
from tests.integration.house import running, settings, topic, until_time
from tests.integration.oracle import assert_equals_oracle
from tests.integration.test_kill import Demo
from tests.signals.pair import entry

pytestmark = pytest.mark.timeout(300)

INSTRUMENTS = Path(__file__).parents[1] / "integration" / "instruments.toml"
WEEK = "corr_vix_spy_1m_20190211_15.csv.gz"
# The second day's last candle of VIX, 16:00 in New York.
LAST_CLOSE = micros(datetime(2019, 2, 12, 21, tzinfo=UTC))
_PATIENCE_S = 180.0


def rule_file(folder: Path) -> Path:
    """The shipped MES/VIX set for SPY, over fewer candles and at a threshold that leaves more."""
    (shipped,) = load(["mes_vix"], [])
    text = json.dumps(shipped.body).replace('"MES"', '"SPY"').replace("-0.7", "-0.3")
    text = text.replace('"window": 50', '"window": 10')
    body = json.loads(text)
    lines = ['name = "mes_vix"', 'symbols = ["SPY"]', "signals_a_day_max = 999"]
    for rule in body["rules"]:
        lines += ["[[rules]]", f'name = "{rule["name"]}"', f"when = {_toml(rule['when'])}"]
    path = folder / "spy_vix.toml"
    path.write_text("\n".join(lines))
    return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def days(data: Path, folder: Path) -> Path:
    """SPY and VIX of two days."""
    path = folder / "days.csv"
    rows = pl.read_csv(data / "recorded" / WEEK)
    rows = rows.filter(pl.col("symbol").is_in(["SPY", "VIX"]), pl.col("ts_utc") < "2019-02-13")
    rows.write_csv(path)
    return path


def deciding(url: str, keys: Keys, folder: Path) -> list[Service]:
    """Indicators, and signals with the one set."""
    common = settings(url, keys)
    signals = SignalsSection(sets=(), rules=(str(rule_file(folder)),))
    return [
        build_signals(SignalsSettings(**common, signals=signals)),
        build_indicators(IndicatorsSettings(**common)),
    ]


def feeding(url: str, keys: Keys, path: Path) -> Service:
    """Ingest over a recording."""
    section = IngestSection(feed="file", file=path, instruments=INSTRUMENTS)
    return build_ingest(IngestSettings(**settings(url, keys), ingest=section))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, with patience."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not await holds():
        assert loop.time() - began < _PATIENCE_S, "it never came true"
        await asyncio.sleep(0.5)


async def decided(log: RedisLog) -> bool:
    """Whether the stages that were started have nothing left to read, at two looks."""
    reads = RedisReads(log.redis, log.keys)
    stages: tuple[StageName, ...] = ("feed", "candles", "indicators", "signals") * 2
    lags = [await reads.lag(stage) for stage in stages]
    return not any(row.behind for lag in lags for rows in lag.values() for row in rows)


def vix_readings(
    levels: dict[int, list[Event]], timeframe: Timeframe = "15m"
) -> list[LevelComputed]:
    """What the indicators said of VIX on a timeframe."""
    found = [one for part in levels.values() for one in part if isinstance(one, LevelComputed)]
    return [one for one in found if (one.symbol, one.timeframe) == ("VIX", timeframe)]


def relayed_at(spine: list[Event]) -> list[int]:
    """The times of the candles of VIX that stand on a spine."""
    entries = [one for one in spine if isinstance(one, Config) and one.kind == RELAYED]
    return [one.body["at"] for one in entries if one.body["numbers"]]


def told_at_the_end(spine: list[Event], levels: list[Event], vix: list[LevelComputed]) -> set[str]:
    """The ids of what the same spine leads to if all of VIX is told after it, and not before."""
    step, by_pos, fired = SignalsStep({}), dict[int, list[Event]](), set[str]()
    for one in levels:
        by_pos.setdefault(one.pos, []).append(one)
    kept = [one for one in spine if not (isinstance(one, Config) and one.kind == RELAYED)]
    events = [event for one in kept for event in (*by_pos.get(one.pos, ()), one)]
    events += [entry(relayed(one)) for one in vix]
    for event in events:
        fired |= {one.id for one in step.process([event]) if isinstance(one, SignalGenerated)}
    return fired


async def test_recorded_days_of_two_partitions(
    server_url: str, keys: Keys, redis_log: RedisLog, shared_data: Path, tmp_path: Path
) -> None:
    """Every candle of VIX comes to SPY's spine; all that follows is what the spines lead to.

    And it is the same as if VIX had been told in any other place.
    """
    here, there = (partition_of(symbol, keys.partitions) for symbol in ("SPY", "VIX"))
    assert here != there

    async def asked() -> bool:
        return bool(await redis_log.redis.xlen(keys.topic(here, "inbox")))

    async def all_there() -> bool:
        state = keys.state(here, "signals")
        text = await execute(redis_log.redis, "HGET", state, f"{OTHERS_FIELD}VIX")
        return known_until(text).get("15m", 0) >= LAST_CLOSE

    async with running(deciding(server_url, keys, tmp_path)):
        # The rules are in force from the first price on.
        await until(asked)
        async with running([feeding(server_url, keys, days(shared_data, tmp_path))]):
            await until(all_there)
            await until(lambda: decided(redis_log))
    spine = await topic(redis_log, "tick")
    levels = await topic(redis_log, "level_computed")
    assert await assert_equals_oracle(redis_log, spine) > 1_000
    signals = (await topic(redis_log, "signal_generated"))[here]
    vix = vix_readings(levels)
    assert {one.at for one in vix} <= set(relayed_at(spine[here]))
    expected = told_at_the_end(spine[here], levels[here], vix)
    assert len(signals) == len(expected) > 2
    assert {signal.id for signal in signals} == expected
    assert relayed_at(spine[there]) == []


JOINT = """
name = "joint"
symbols = ["MES"]
signals_a_day_max = 1000
[[rules]]
name = "both"
life = { cooldown_s = 0 }
[rules.when]
kind = "candle"
timeframe = "1m"
direction = "long"
[rules.when.condition]
kind = "all"
conditions = [
    { kind = "above", left = "close", right = "ema:20" },
    { kind = "above", left = "close of VIX", right = 1 },
]
"""
# The relay lives in signals; without indicators it has nothing to relay, without ingest no writer.
KILLED = ("signals", "indicators", "ingest")


async def test_a_killed_relay_loses_and_doubles_nothing(
    server_url: str, keys: Keys, redis_log: RedisLog, tmp_path: Path
) -> None:
    """Whoever has a part in it is killed while the market runs; what follows is as if nobody was.

    Every candle of VIX is on the spine of MES in the end, and the signals are those that the same
    candles lead to without a relay.
    """
    (rules := tmp_path / "joint.toml").write_text(JOINT)
    settings_of = {"signals": {"TIDELINE_SIGNALS__SETS": "", "TIDELINE_SIGNALS__RULES": str(rules)}}
    here, there = (partition_of(symbol, keys.partitions) for symbol in ("MES", "VIX"))
    assert here != there

    async def signals_told(more_than: int) -> bool:
        return int(await redis_log.redis.xlen(keys.topic(here, "signal_generated"))) > more_than

    async def all_there() -> bool:
        if not await decided(redis_log):
            return False
        vix = vix_readings(await topic(redis_log, "level_computed"), "1m")
        told = relayed_at((await topic(redis_log, "tick"))[here])
        return {one.at for one in vix} <= set(told) and await decided(redis_log)

    demo = Demo(server_url, keys, tmp_path)
    try:
        for name in ("ingest", "indicators", "signals"):
            demo.start(name, **settings_of.get(name, {}))
        await until(lambda: signals_told(5))
        for name in KILLED:
            demo.end(name, signal.SIGKILL)
            await asyncio.sleep(0.5)
            demo.start(name, **settings_of.get(name, {}))
            await asyncio.sleep(1.5)
        await until(lambda: signals_told(15))
        demo.end("ingest", signal.SIGTERM)
        ended_at = SystemClock().now()
        demo.start("ingest", TIDELINE_INGEST__FEED="none", TIDELINE_INGEST__SPEED="1")
        # Its time closes what the market left open; nothing may be killed before, or in between.
        await until_time(redis_log, ended_at)
        await until(all_there)
    finally:
        demo.end_all()
    spine, levels = await topic(redis_log, "tick"), await topic(redis_log, "level_computed")
    assert await assert_equals_oracle(redis_log, spine) > 1_000
    signals = (await topic(redis_log, "signal_generated"))[here]
    expected = told_at_the_end(spine[here], levels[here], vix_readings(levels, "1m"))
    assert {one.id for one in signals} == expected
    assert len(signals) == len(expected)
