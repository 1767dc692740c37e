"""The whole chain as processes, under a load, and what it does and uses."""

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load_feed import RULES, Load
from benchmarks.results import NotHere
from benchmarks.server import Scratch, scratch
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from tideline.ports import free_port

KEYS = Keys("bench")
CORE = ("notifier", "signals", "indicators")
_READY_S = 60.0
_LOOK_S = 0.25
_REPOSITORY = Path(__file__).parents[1]


@dataclass(slots=True)
class Chain:
    """A running chain."""

    server: Scratch
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    public_port: int = 0

    def cpu_s(self) -> dict[str, float]:
        """Seconds of the processor used so far, by process; ``server`` is among them."""
        used = {name: _proc_cpu_s(process.pid) for name, process in self.processes.items()}
        return used | {"server": _proc_cpu_s(self.server.pid)}

    def rss_mb(self) -> dict[str, float]:
        """Memory that each service holds."""
        return {name: _proc_rss_mb(process.pid) for name, process in self.processes.items()}


@dataclass(frozen=True, slots=True)
class Figures:
    """What a chain did within a stretch of time."""

    seconds: float
    offered: int
    decided: int
    behind_max: int
    cpu_s: dict[str, float]
    rss_mb: dict[str, float]

    @property
    def per_s(self) -> float:
        """Ticks that went through all stages a second."""
        return self.decided / self.seconds

    @property
    def cpu_us_per_tick(self) -> float:
        """Of all processes, server included."""
        return sum(self.cpu_s.values()) / max(1, self.decided) * 1e6


@contextmanager
def running(load: Load, charts: bool = False) -> Iterator[Chain]:
    """Start a server and every service; the feed last.

    Raises:
        NotHere: a service does not start.
    """
    if not Path("/proc/self/stat").exists():
        raise NotHere("processes are measured through /proc, which Linux alone has")
    with scratch() as server, ExitStack() as ending:
        chain = Chain(server, public_port=free_port())
        (server.folder / "instruments.toml").write_text(load.instruments())
        (server.folder / "rules.toml").write_text(RULES)
        names = [*CORE, *(["charts"] if charts else []), "ingest"]
        for name in names:
            module = "benchmarks.load_feed" if name == "ingest" else f"services.{name}"
            _start(chain, name, module, load)
            ending.callback(_stop, chain.processes[name])
            if name == names[-2]:
                _await_ready(chain)
        _await_ready(chain)
        yield chain


def measured(chain: Chain, seconds: float, settle_s: float) -> Figures:
    """Let it run and look on."""
    return asyncio.run(_measured(chain, seconds, settle_s))


async def _measured(chain: Chain, seconds: float, settle_s: float) -> Figures:
    log = RedisLog(chain.server.url, KEYS)
    reads = RedisReads(log.redis, KEYS)
    try:
        until = time.monotonic() + _READY_S
        while await decided(log) == 0:
            if time.monotonic() > until:
                raise NotHere(f"nothing was decided within {_READY_S:g} s")
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(settle_s)
        cpu, began = chain.cpu_s(), time.monotonic()
        offered, done, behind_max = await added(reads), await decided(log), 0
        while time.monotonic() < began + seconds:
            await asyncio.sleep(_LOOK_S)
            rows = (await reads.lag("signals"))["tick"]
            behind_max = max(behind_max, sum(one.behind for one in rows))
        elapsed = time.monotonic() - began
        used = {name: total - cpu[name] for name, total in chain.cpu_s().items()}
        return Figures(
            elapsed,
            await added(reads) - offered,
            await decided(log) - done,
            behind_max,
            used,
            chain.rss_mb(),
        )
    finally:
        await log.close()


async def decided(log: RedisLog) -> int:
    """Entries of the spine that the slowest of its stages has decided on."""
    pipe = log.redis.pipeline(transaction=False)
    for stage in ("candles", "signals"):
        for partition in range(KEYS.partitions):
            pipe.hget(KEYS.checkpoint(partition, stage), "n:tick")
    counts = [int(count or 0) for count in await pipe.execute()]
    return min(sum(counts[: KEYS.partitions]), sum(counts[KEYS.partitions :]))


async def added(reads: RedisReads) -> int:
    """Entries ever added to the spine."""
    return sum(size.added for size in await reads.sizes("tick"))


def _start(chain: Chain, name: str, module: str, load: Load) -> None:
    chain.ports[name] = free_port()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("TIDELINE_")},
        "REDIS_URL": chain.server.url,
        "TIDELINE_NAMESPACE": KEYS.namespace,
        "TIDELINE_WORKER": f"{name}-1",
        "TIDELINE_INTERNAL_PORT": str(chain.ports[name]),
        "TIDELINE_PUBLIC_PORT": str(chain.public_port) if name == "charts" else "0",
        "TIDELINE_DATA_DIR": str(chain.server.folder / "tables"),
        "TIDELINE_INGEST__INSTRUMENTS": str(chain.server.folder / "instruments.toml"),
        "TIDELINE_SIGNALS__RULES": str(chain.server.folder / "rules.toml"),
        "LOAD_RATE": str(load.rate),
        "LOAD_SYMBOLS": str(load.symbols),
        "LOAD_LEAD_S": str(load.lead_s),
    }
    log = (chain.server.folder / f"{name}.log").open("wb")
    with log:
        chain.processes[name] = subprocess.Popen(
            [sys.executable, "-m", module],
            env=environment,
            cwd=_REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_ready(chain: Chain) -> None:
    until = time.monotonic() + _READY_S
    for name, port in chain.ports.items():
        while not _is_ready(port):
            if chain.processes[name].poll() is not None or time.monotonic() > until:
                told = (chain.server.folder / f"{name}.log").read_text("utf-8", "replace")
                raise NotHere(f"{name} does not start: {told.strip()[-300:]}")
            time.sleep(0.05)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _proc_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _proc_rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
