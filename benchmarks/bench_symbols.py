"""Ten thousand symbols on six timeframes: a close of all of them at once, and how costs grow."""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.chain import KEYS, Chain, running
from benchmarks.load_feed import DAY, MIDNIGHT, SOURCE, WARM_DAYS, Load
from benchmarks.results import Goal, NotHere, Row, absent, against, row
from services.indicators.domain.defaults import recipes
from services.indicators.domain.stage import stage
from services.ingest.domain.candles import CandlesStep
from shared.bus.connection import execute
from shared.bus.redis_log import RedisLog
from shared.events import CandleClosed, Close, Event, Tick, Window
from shared.market.timeframes import LENGTH_US, TIMEFRAMES
from shared.service.collector import calm_collector

SYMBOLS, QUICK_SYMBOLS = 10_000, 1_000
RATE = 2_000
DELAY_MS = 200
# Growth by symbol, from a quarter of them to all; more than this is not linear.
GROWTH = 1.25
# How long before midnight the market begins: time to warm up three days of every symbol.
LEAD_S = 60.0
_LOOK_S = 0.02
_PATIENCE_S = 60.0


def rows(quick: bool) -> list[Row]:
    """The figures."""
    symbols = QUICK_SYMBOLS if quick else SYMBOLS
    return [_delay(symbols), *_growth(symbols)]


def _delay(symbols: int) -> Row:
    """Midnight: six candles of every symbol end, while prices go on."""
    name = "symbols_10k"
    with running(Load(RATE, symbols, lead_s=LEAD_S)) as chain:
        found = asyncio.run(_around_midnight(chain, symbols))
    if found is None:
        return absent(name, f"three days of {symbols:,} symbols were not warm after {LEAD_S:g} s")
    worst_ms, took_s = found
    unit = f"ms a tick waited at most while {symbols:,} symbols closed six candles each, in "
    return row(name, worst_ms, f"{unit}{took_s:.1f} s", Goal(DELAY_MS, at_most=True))


async def _around_midnight(chain: Chain, symbols: int) -> tuple[float, float] | None:
    """The longest that signals left a spine's next entry undecided, ms, and seconds until all
    levels were there; None where midnight came before the chain was ready for it."""
    log = RedisLog(chain.server.url, KEYS)
    began = time.monotonic()
    try:
        while await _closed(log) < WARM_DAYS * symbols or await _waits_ms(log) > DELAY_MS:
            if time.monotonic() - began > LEAD_S:
                return None
            await asyncio.sleep(_LOOK_S)
        before, worst = await _closed(log), 0.0
        first: float | None = None
        while time.monotonic() - began < LEAD_S + _PATIENCE_S:
            worst = max(worst, await _waits_ms(log))
            closed = await _closed(log) - before
            now = time.monotonic()
            first = now if first is None and closed > 0 else first
            if first is not None and closed >= symbols * len(TIMEFRAMES):
                return worst, now - first
            await asyncio.sleep(_LOOK_S)
        raise NotHere(f"midnight was not over after {_PATIENCE_S:g} s")
    finally:
        await log.close()


async def _closed(log: RedisLog) -> int:
    """Readings that indicators have written; a few watermarks are among them."""
    pipe = log.redis.pipeline(transaction=False)
    for partition in range(KEYS.partitions):
        pipe.xlen(KEYS.topic(partition, "level_computed"))
    return sum(await pipe.execute())


async def _waits_ms(log: RedisLog) -> float:
    pipe = log.redis.pipeline(transaction=False)
    for partition in range(KEYS.partitions):
        pipe.hget(KEYS.checkpoint(partition, "signals"), "tick")
    offsets = await pipe.execute()
    now = await log.redis.time()
    now_ms = now[0] * 1000 + now[1] / 1000
    waits = [0.0]
    for partition, offset in enumerate(offsets):
        first: Any = await execute(
            log.redis, "XRANGE", KEYS.topic(partition, "tick"), f"({offset}", "+", "COUNT", 1
        )
        waits += [now_ms - int(entry_id.partition("-")[0]) for entry_id, _ in first]
    return max(waits)


def _growth(symbols: int) -> list[Row]:
    few, many = (_grown(count) for count in (symbols // 4, symbols))
    units = {
        "time": "us a symbol to close six candles and compute their levels",
        "memory": "kB a symbol that candles and indicators hold",
        "commit": "B a symbol that such a close writes",
    }
    return [
        against(
            f"symbols_10k_{part}",
            many[part],
            f"{unit}; anchor: a quarter of the symbols",
            few[part],
            Goal(GROWTH, at_most=True),
        )
        for part, unit in units.items()
    ]


def _grown(symbols: int) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_symbols", str(symbols)],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    found: dict[str, float] = json.loads(run.stdout)
    return found


def _rss_kb() -> float:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * 4.096


def main(symbols: int) -> None:
    """Close six candles of so many symbols three times; print what the last one cost."""
    names = [f"S{n:05d}" for n in range(symbols)]
    before = _rss_kb()
    candles, levels = CandlesStep({}), stage(recipes()).restore({})
    taken, written = 0.0, 0
    for day in range(3):
        # As every service does: without it the collector walks over all that lasts, again and
        # again, which is most of the time of ten thousand symbols.
        calm_collector()
        candles.process([_tick(name, day) for name in names])
        closes: list[Event] = [_close(name, day) for name in names]
        start = time.process_time()
        closed = candles.process(closes)
        readings = levels.process(closed)
        wires = [event.wire() for event in (*closed, *readings)]
        texts = [*candles.changes().values(), *levels.changes().values()]
        taken = time.process_time() - start
        written = sum(len(str(part)) for wire in wires for part in wire) + sum(map(len, texts))
        assert len(closed) == symbols * len(TIMEFRAMES)
        assert all(isinstance(one, CandleClosed) for one in closed)
        del closes, closed, readings, wires, texts
    memory = _rss_kb() - before
    print(
        json.dumps(
            {
                "time": taken / symbols * 1e6,
                "memory": memory / symbols,
                "commit": written / symbols,
            }
        )
    )


def _tick(name: str, day: int) -> Tick:
    at = MIDNIGHT + day * DAY - 1_000
    return Tick(symbol=name, at=at, pos=1, price=1.1 + day / 100, size=1.0, source=SOURCE, n=0)


def _close(name: str, day: int) -> Close:
    at = MIDNIGHT + day * DAY
    windows = tuple(
        Window(timeframe=timeframe, open_at=at - LENGTH_US[timeframe]) for timeframe in TIMEFRAMES
    )
    return Close(symbol=name, at=at, pos=2 + day, session_at=at - DAY, windows=windows)


if __name__ == "__main__":
    main(int(sys.argv[1]))
