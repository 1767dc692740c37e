"""The example that newcomers copy, run as they would run it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.events.codec import decode_one
from shared.events.signal import SignalGenerated
from tests.events.entries import sample

EXAMPLE = Path(__file__).parents[2] / "examples" / "consumer.py"
LINES_MAX = 30
# It imports FastStream, and a busy machine takes its time for that.
PATIENCE_S = 60.0


@asynccontextmanager
async def running(url: str, keys: Keys) -> AsyncIterator[Process]:
    """The example as a process of its own, stopped as Ctrl-C stops it."""
    environment = os.environ | {
        "REDIS_URL": url,
        "TIDELINE_NAMESPACE": keys.namespace,
        "TIDELINE_PARTITIONS": str(keys.partitions),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLE, env=environment, stdout=PIPE, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def told(process: Process) -> str:
    """The next signal's id; its reason is on the line after it."""
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
    reason = await process.stdout.readline()
    assert reason == b"  EURUSD went above yesterday's high and came back\n"
    return line.decode().strip()


def a_signal(second: int) -> SignalGenerated:
    """The recorded signal, some seconds later."""
    recorded = decode_one(sample("signal_generated.v1").fields)
    assert isinstance(recorded, SignalGenerated)
    return recorded.model_copy(update={"at": recorded.at + second * 1_000_000})


async def test_the_example_tells_every_signal_once_and_goes_on(
    server_url: str, keys: Keys, redis_log: RedisLog
) -> None:
    """What was there before it started, what comes meanwhile, and what came while it was away."""
    first, second, third = (a_signal(one) for one in (0, 1, 2))
    await redis_log.append(0, "signal_generated", first.wire())
    async with running(server_url, keys) as process:
        assert await told(process) == first.id
        await redis_log.append(3, "signal_generated", second.wire())
        assert await told(process) == second.id
    await redis_log.append(3, "signal_generated", third.wire())
    async with running(server_url, keys) as process:
        assert await told(process) == third.id


def test_the_example_is_short() -> None:
    """A new consumer is a screenful."""
    assert len(EXAMPLE.read_text("utf-8").splitlines()) <= LINES_MAX
