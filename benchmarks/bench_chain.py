"""The chain as people run it: how much it takes, how soon it alerts, what it uses.

Throughput and latency are of the wall's clock and mean something on a machine that has nothing else
to do; processor time per tick means something on any.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.alerts import latencies_ms, percentile
from benchmarks.chain import Chain, Figures, measured, running
from benchmarks.load_feed import Load
from benchmarks.results import Goal, Row, absent, against, row
from benchmarks.server import scratch
from tideline.ports import free_port

CLIENTS = 100
SKETCH = Path(__file__).parents[2] / "shared" / "probes" / "chain_sketch.py"
_SETTLE_S = 3.0
_SKETCH_RATE = 20_000
_REPEATS = 2
_SKETCH_LINE = re.compile(r"\('(\w+)', (\d+), .*?, ([\d.]+)\)$")


def throughput(quick: bool) -> list[Row]:
    """As many ticks as the chain takes, without charts and with all of them."""
    seconds = 10.0 if quick else 60.0
    with running(Load(0)) as chain:
        core = measured(chain, seconds, _SETTLE_S)
    with running(Load(0), charts=True) as chain, _clients(chain):
        every = measured(chain, seconds, _SETTLE_S)
    return [
        row("chain_core_ticks_per_s", core.per_s, _told(core), Goal(100_000)),
        row("chain_all_ticks_per_s", every.per_s, _told(every), Goal(50_000)),
        *_rss(every),
    ]


def alerts(quick: bool) -> list[Row]:
    """Tick to ``alert_fired`` by the ids of their entries, on the console channel."""
    return [_alerts("2k", 2_000, 5.0, quick), _alerts("20k", 20_000, 10.0, quick)]


def sketch(quick: bool) -> list[Row]:
    """Processor time a tick, beside the sketch of the chain that validates and recovers nothing."""
    name = "cpu_per_tick_vs_sketch"
    if not SKETCH.is_file():
        return [absent(name, "no chain_sketch.py in ../shared/probes")]
    seconds = 6.0 if quick else 15.0
    ours, theirs = [], []
    for _ in range(_REPEATS):
        theirs.append(_sketch_us(seconds))
        with running(Load(_SKETCH_RATE)) as chain:
            ours.append(measured(chain, seconds, _SETTLE_S))
    best = min(ours, key=lambda figures: figures.cpu_us_per_tick)
    unit = f"us of processor a tick, {_SKETCH_RATE:,} offered; anchor: sketch; {_told(best)}"
    goal = Goal(1.5, at_most=True)
    return [against(name, best.cpu_us_per_tick, unit, min(theirs), goal)]


def _alerts(name: str, rate: int, goal: float, quick: bool) -> Row:
    with running(Load(rate)) as chain:
        figures = measured(chain, 8.0 if quick else 40.0, _SETTLE_S)
        found = asyncio.run(latencies_ms(chain.server.url, _SETTLE_S))
    if not found:
        return absent(f"alert_p99_ms_{name}", "no alert was fired")
    spread = "/".join(f"{percentile(found, part):.0f}" for part in (0.5, 0.9, 0.99, 0.999))
    unit = f"ms; p50/p90/p99/p99.9 {spread} of {len(found)} alerts; {_told(figures)}"
    return row(f"alert_p99_ms_{name}", percentile(found, 0.99), unit, Goal(goal, at_most=True))


def _told(figures: Figures) -> str:
    used = sum(figures.cpu_s.values()) / figures.seconds
    return (
        f"ticks/s decided {figures.per_s:,.0f}, most behind {figures.behind_max:,}; "
        f"{figures.cpu_us_per_tick:.1f} us of processor a tick, {used:.2f} cores had"
    )


def _rss(figures: Figures) -> list[Row]:
    rows = [
        row(f"rss_mb_{name}", value, f"MB held by {name} at the end of the run above")
        for name, value in figures.rss_mb.items()
    ]
    return [row("rss_mb", sum(figures.rss_mb.values()), "MB held by all services"), *rows]


@contextmanager
def _clients(chain: Chain) -> Iterator[None]:
    """A hundred WebSocket clients that listen, in a process of their own."""
    with ExitStack() as ending:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.ws_clients", str(chain.public_port), str(CLIENTS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        ending.callback(process.wait)
        ending.callback(process.terminate)
        assert process.stdout is not None
        process.stdout.readline()
        yield


def _sketch_us(seconds: float) -> float:
    port = free_port()
    with scratch(port) as server:
        run = subprocess.run(
            [sys.executable, str(SKETCH), str(_SKETCH_RATE), str(seconds)],
            env={**os.environ, "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=True,
        )
        server_s = server.cpu_s()
    stages = [found.groups() for line in run.stdout.splitlines() if (found := _match(line))]
    ticks = next(int(count) for name, count, _ in stages if name == "feed")
    return (sum(float(cpu) for *_, cpu in stages) + server_s) / ticks * 1e6


def _match(line: str) -> "re.Match[str] | None":
    return _SKETCH_LINE.match(line.strip())
