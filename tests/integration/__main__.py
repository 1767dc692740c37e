"""Plays whole recordings through the five services and prints what was compared with the oracle.

    .venv/bin/python -m tests.integration        (needs the recorded data beside the repository)

A single event that differs ends it with an error. The figures stand in the README.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from tests.integration.house import build, played_out, running, topic
from tests.integration.oracle import assert_equals_oracle
from tideline.embedded import EmbeddedServer

_DATA = Path(__file__).parents[3] / "shared" / "data" / "recorded"
_INSTRUMENTS = Path(__file__).parent / "instruments.toml"
_FILES = (
    "ticks_eurusd_oanda_20140502.csv.gz",
    "ticks_eurusd_oanda_20140505.csv.gz",
    "demo_fx_gold_1m_20140501_15.csv.gz",
    "corr_vix_spy_1m_20190211_15.csv.gz",
)


async def _play(url: str, number: int, name: str) -> str:
    keys = Keys(f"figures-{number}", partitions=4)
    log, clock = RedisLog(url, keys), SystemClock()
    section: dict[str, Any] = {"feed": "file", "file": _DATA / name, "instruments": _INSTRUMENTS}
    services = build(url, keys, section)
    began = clock.elapsed()
    async with running(services):
        await played_out(log)
    seconds = clock.elapsed() - began
    spine = await topic(log, "tick")
    compared = await assert_equals_oracle(log, spine)
    entries = Counter(event.TYPE for part in spine.values() for event in part)
    signals, alerts, dead = [
        sum(len(part) for part in (await topic(log, name)).values())
        for name in ("signal_generated", "alert_fired", "dead_letter")
    ]
    await log.close()
    prices = entries["tick"] + entries["candle_in"]
    return (
        f"| {name.split('.')[0]} | {prices:,} | {compared:,} | {signals:,} | {alerts:,} "
        f"| {dead:,} | {seconds:.0f} s |"
    )


async def _play_all(url: str) -> None:
    log = RedisLog(url, Keys("figures"))
    for _ in range(200):
        try:
            await log.redis.ping()
            break
        except RedisConnectionError:
            await asyncio.sleep(0.02)
    await log.close()
    for number, name in enumerate(_FILES):
        sys.stderr.write(await _play(url, number, name) + "\n")


def main() -> None:
    """Start a server of our own, play, and leave nothing behind."""
    if not _DATA.is_dir():
        sys.exit(f"no recorded market data at {_DATA}")
    sys.stderr.write("| recording | prices | events equal | signals | alerts | rejected | took |\n")
    with tempfile.TemporaryDirectory(prefix="tideline-") as folder:
        os.environ["TIDELINE_DATA_DIR"] = f"{folder}/tables"
        server = EmbeddedServer(data=Path(folder) / "data", socket=Path(folder) / "s")
        with subprocess.Popen(
            server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                asyncio.run(_play_all(server.url))
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
