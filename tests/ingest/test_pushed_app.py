"""The service whose feed is what others push: killed for good, and asked over HTTP."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.clock import SystemClock
from shared.events import Tick

ROOT = Path(__file__).parents[2]
# Open at all hours of all days, whenever the test runs.
ALWAYS = """
title = "always open"
kind = "crypto"
tick_size = 0.01
decimals = 2
grace_ms = 60000
session = {zone = "UTC", start = "00:00", end = "00:00", days = [1, 2, 3, 4, 5, 6, 7]}
"""
SYMBOLS = ("ONE", "TWO", "THREE")


def free_port() -> int:
    """One below those that systems hand out: nobody is given it while no service has it."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is no free port")


@contextmanager
def service(url: str, keys: Keys, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The ingest service in a process of its own, killed at the end if it still runs."""
    instruments = folder / "instruments.toml"
    instruments.write_text("".join(f"[{symbol}]{ALWAYS}" for symbol in SYMBOLS))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIDELINE")},
        "PYTHONPATH": str(ROOT),
        "REDIS_URL": url,
        "TIDELINE_NAMESPACE": keys.namespace,
        "TIDELINE_PARTITIONS": str(keys.partitions),
        "TIDELINE_INTERNAL_PORT": "0",
        "TIDELINE_PUBLIC_PORT": str(port),
        "TIDELINE_INGEST__FEED": "push",
        "TIDELINE_INGEST__PUSH__CHANNELS": "{}",
        "TIDELINE_INGEST__INSTRUMENTS": str(instruments),
        "TIDELINE_WORKER": "one",
    }
    command = [sys.executable, "-m", "services.ingest"]
    with subprocess.Popen(command, cwd=folder, env=environment) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


async def ask(method: str, url: str, body: object = None) -> httpx.Response:
    """Ask until somebody answers."""
    async with httpx.AsyncClient(timeout=60.0) as client:
        for _ in range(1_200):
            try:
                answer = await client.request(method, url, json=body)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.1)
    raise AssertionError(f"nobody answers at {url}")


async def prices(log: RedisLog, keys: Keys, wanted: int) -> list[tuple[str, int, float]]:
    """The ticks on all spines, once as many are there as are wanted."""
    reads, found = RedisReads(log.redis, keys), list[tuple[str, int, float]]()
    for _ in range(1_200):
        found = [
            (event.symbol, event.at, event.price)
            for partition in range(keys.partitions)
            for _, event in await reads.recent(partition, "tick", 5_000)
            if isinstance(event, Tick)
        ]
        if len(found) >= wanted:
            break
        await asyncio.sleep(0.1)
    return sorted(found)


# Three starts of a process, each of which takes ten seconds where many tests run at once.
@pytest.mark.timeout(300)
async def test_accepted_prices_survive_kills_of_the_process(
    server_url: str, keys: Keys, redis_log: RedisLog, tmp_path: Path
) -> None:
    """Whatever a 202 was given for stands on the spine once, though every answer is followed by a
    kill -9, and everything is sent twice."""
    port, clock = free_port(), SystemClock()
    url = f"http://127.0.0.1:{port}"
    sent: list[tuple[str, int, float]] = []
    for _ in range(2):
        with service(server_url, keys, tmp_path, port):
            for _ in range(3):
                price = 1.0 + len(sent)
                batch = [{"symbol": one, "at": clock.now(), "price": price} for one in SYMBOLS]
                answer = await ask("POST", f"{url}/api/v1/ticks", {"ticks": batch})
                assert (answer.status_code, answer.json()["accepted"]) == (202, 3)
                again = await ask("POST", f"{url}/api/v1/ticks", {"ticks": batch})
                assert again.json()["duplicate"] == 3
                sent += [(str(one["symbol"]), int(str(one["at"])), price) for one in batch]
    with service(server_url, keys, tmp_path, port):
        assert await prices(redis_log, keys, len(sent)) == sorted(sent)
        fresh: dict[str, str] = {}
        for _ in range(600):
            # New prices: those of before are late after a minute, and this may take longer.
            batch = [{"symbol": one, "at": clock.now(), "price": 1.0} for one in SYMBOLS]
            await ask("POST", f"{url}/api/v1/ticks", {"ticks": batch})
            answer = await ask("GET", f"{url}/api/v1/freshness")
            fresh = {one["symbol"]: one["status"] for one in answer.json()["symbols"]}
            if fresh == dict.fromkeys(sorted(SYMBOLS), "fresh"):
                break
            await asyncio.sleep(0.1)
        assert fresh == dict.fromkeys(sorted(SYMBOLS), "fresh")
