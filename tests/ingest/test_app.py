"""The whole service: what it refuses to start with, and what it writes when it runs."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.ingest.app import build_app
from services.ingest.settings import IngestSection, IngestSettings
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.events import CandleClosed, Close, Config, Event, Heartbeat, Tick
from shared.events.codec import decode
from shared.service.settings import SettingsError

ROOT = Path(__file__).parents[2]


def settings(url: str, keys: Keys, **section: object) -> IngestSettings:
    return IngestSettings(
        redis_url=url,  # type: ignore[arg-type]
        namespace=keys.namespace,
        partitions=keys.partitions,
        internal_port=0,
        public_port=0,
        ingest=IngestSection.model_validate(section),
    )


async def events(log: RedisLog, partition: int, topic: str = "tick") -> list[Event]:
    raw = await log.read({(partition, topic): "0-0"}, count=10_000, block_ms=0)  # type: ignore[dict-item]
    return [e for entries in raw.values() for _, e in decode(entries) if isinstance(e, Event)]


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({"feed": "file"}, "file is not set; name the recording to play"),
        ({"feed": "demo", "speed": 0}, "speed 0 has no meaning for a market without an end"),
        ({"feed": "yahoo"}, "Input should be 'none', 'demo', 'file'"),
        ({"sped": 1}, "Extra inputs are not permitted"),
        ({"speed": -1}, "greater than or equal to 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    section: dict[str, object], complaint: str
) -> None:
    """What cannot be meant is told when the settings are read."""
    with pytest.raises(ValidationError, match=complaint):
        IngestSection.model_validate(section)


@pytest.mark.parametrize(
    ("text", "symbols", "complaint"),
    [
        ("[DAX]\ntick_sise = 1", [], r"\[DAX\] unknown key tick_sise; did you mean tick_size\?"),
        ("", ["EURUSX"], "unknown symbol 'EURUSX'; did you mean EURUSD"),
    ],
)
def test_instruments_that_are_wrong_end_the_start(
    tmp_path: Path, text: str, symbols: list[str], complaint: str
) -> None:
    """The instrument file and the chosen symbols are looked at before anything runs."""
    file = tmp_path / "instruments.toml"
    file.write_text(text)
    section = IngestSection(instruments=file, symbols=tuple(symbols))
    with pytest.raises(SettingsError, match=complaint):
        build_app(IngestSettings(ingest=section))


def test_a_missing_instrument_file_is_named() -> None:
    """A path that leads nowhere is told with the path."""
    section = IngestSection(instruments=Path("nowhere.toml"))
    with pytest.raises(SettingsError, match=r"^instrument file nowhere\.toml: No such file"):
        build_app(IngestSettings(ingest=section))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "no such file"),
        ("symbol,price\nEURUSD,1.1\n", "no time column among symbol, price"),
    ],
)
def test_a_bad_recording_ends_the_service_with_one_line(
    server_url: str, keys: Keys, tmp_path: Path, content: str | None, complaint: str
) -> None:
    """Started alone with a file that cannot be played: one line on stderr, exit code 2."""
    file = tmp_path / "bad.csv"
    if content is not None:
        file.write_text(content)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIDELINE")},
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": server_url,
        "TIDELINE_NAMESPACE": keys.namespace,
        "TIDELINE_PARTITIONS": str(keys.partitions),
        "TIDELINE_INTERNAL_PORT": "0",
        "TIDELINE_PUBLIC_PORT": "0",
        "TIDELINE_INGEST__FEED": "file",
        "TIDELINE_INGEST__FILE": str(file),
    }
    run = subprocess.run(
        [sys.executable, "-m", "services.ingest"],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 2
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("tideline: ")]
    assert line.startswith(f"tideline: {file}: {complaint}")
    assert "Traceback" not in run.stderr


async def test_the_demo_runs_with_candles_from_the_start(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """Within seconds every symbol has its seeds, live prices, closed candles and a view."""
    service = build_app(settings(server_url, keys, feed="demo", speed=600))
    running = asyncio.create_task(service.run())
    live: list[CandleClosed] = []
    try:
        for _ in range(1_200):
            await asyncio.sleep(0.1)
            lengths = await RedisReads(redis_log.redis, keys).sizes("candle_closed")
            live = [
                event
                for partition in range(keys.partitions)
                for event in await events(redis_log, partition, "candle_closed")
                if isinstance(event, CandleClosed) and event.origin == "live"
            ]
            if len({event.symbol for event in live}) >= 9 and all(one.length for one in lengths):
                break
    finally:
        service.stop()
        await running
    spine = [event for p in range(keys.partitions) for event in await events(redis_log, p)]
    configs = {event.symbol: event for event in spine if isinstance(event, Config)}
    assert len(configs) == 10
    assert all(one.body["title"].endswith("(simulated)") for one in configs.values())
    assert {event.source for event in spine if isinstance(event, Tick)} == {"demo"}
    assert {event.symbol for event in live} >= {"EURUSD", "DAX", "NDX", "MES", "VIX", "XAUUSD"}
    views = await RedisReads(redis_log.redis, keys).views("candles", ["EURUSD"])
    shown = json.loads(views["EURUSD"])
    assert shown["source"] == "demo"
    # Just after a full hour the smaller windows may still wait for their first price.
    assert {"4h", "1d"} <= set(shown["candles"]) <= {"1m", "5m", "15m", "1h", "4h", "1d"}


async def test_without_a_feed_time_goes_on(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """No prices are no standstill: every partition has its heartbeat."""
    service = build_app(settings(server_url, keys))
    running = asyncio.create_task(service.run())
    try:
        for _ in range(2_400):
            await asyncio.sleep(0.05)
            if all(one.length for one in await RedisReads(redis_log.redis, keys).sizes("tick")):
                break
    finally:
        service.stop()
        await running
    for partition in range(keys.partitions):
        spine = await events(redis_log, partition)
        assert spine
        assert all(isinstance(event, Heartbeat) for event in spine)


async def test_a_recording_is_played_to_its_end(
    server_url: str, keys: Keys, redis_log: RedisLog, tmp_path: Path
) -> None:
    """Two symbols in two partitions: all windows are closed when the file is over."""
    path = tmp_path / "file.csv"
    path.write_text(
        "time,symbol,price\n2026-06-10T14:00:00Z,EURUSD,1.1\n2026-06-10T14:00:30Z,DAX,24000\n"
    )
    service = build_app(settings(server_url, keys, feed="file", file=path))
    running = asyncio.create_task(service.run())
    closed: list[Close] = []
    try:
        for _ in range(2_400):
            await asyncio.sleep(0.05)
            spine = [event for p in range(keys.partitions) for event in await events(redis_log, p)]
            closed = [event for event in spine if isinstance(event, Close)]
            if sum(len(close.windows) for close in closed) == 12:
                break
    finally:
        service.stop()
        await running
    assert sum(len(close.windows) for close in closed) == 12
    assert {close.symbol for close in closed} == {"EURUSD", "DAX"}
