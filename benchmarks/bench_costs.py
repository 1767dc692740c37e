"""What a commit holds the server for, and what a tick takes there: counted by the server."""

import asyncio
from typing import Any

from benchmarks.load_feed import Load
from benchmarks.results import Goal, Row, row
from benchmarks.server import Scratch, scratch
from benchmarks.spines import spines
from shared.bus.keys import Keys
from shared.bus.lease import LEASE_TTL_MS
from shared.bus.log import Commit, Lease
from shared.bus.outputs import outputs_of
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import Pace
from shared.events import Event, Tick

KEYS = Keys("bench", partitions=1)
COMMITS = 60


def rows(quick: bool) -> list[Row]:
    """The figures."""
    batch = Pace().batch
    commits = COMMITS // 4 if quick else COMMITS
    events = spines(Load(0), batch * (commits + 1), 1)[0]
    ticks: list[Event] = [event for event in events if isinstance(event, Tick)]
    with scratch() as server:
        took_ms = asyncio.run(_commit_all(server, ticks, batch))
        with server.client() as client:
            key = KEYS.topic(0, "tick")
            used: Any = client.memory_usage(key, samples=0)
            per_tick = used / int(client.xlen(key))
    unit = f"ms of the server's processor for a commit of {batch} ticks"
    return [
        row("commit_server_ms", took_ms, unit, Goal(1.0, at_most=True)),
        row("redis_bytes_per_tick", per_tick, "B of the server's memory", Goal(70, at_most=True)),
    ]


async def _commit_all(server: Scratch, ticks: list[Event], batch: int) -> float:
    """Milliseconds a commit, the first one left out: it compiles the script."""
    log, used, commits = RedisLog(server.url, KEYS), 0.0, len(ticks) // batch
    try:
        lease = await log.acquire("feed", 0, "bench", LEASE_TTL_MS)
        assert isinstance(lease, Lease)
        for seq in range(commits):
            part = ticks[seq * batch : (seq + 1) * batch]
            commit = Commit(
                stage="feed",
                partition=0,
                token=lease.token,
                seq=seq,
                txid=f"{lease.token}/{seq}",
                checkpoint={},
                state={"@spine": "0" * 80},
                outputs=outputs_of(part),
            )
            assert await log.commit([commit]) == ["OK"]
            if seq == 0:
                used = server.cpu_s()
        return (server.cpu_s() - used) / (commits - 1) * 1000
    finally:
        await log.close()
