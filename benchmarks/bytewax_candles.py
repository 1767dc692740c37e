"""Bytewax folds ticks into 1m windows, in this process and in memory; prints what it cost."""

import json
import sys
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any, NamedTuple

import bytewax.operators as op
import bytewax.operators.windowing as win
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main

from benchmarks.load_feed import Load
from benchmarks.spines import spines
from shared.events import Tick


class Price(NamedTuple):
    """A tick as Bytewax likes it."""

    symbol: str
    at: datetime
    price: float
    size: float


Cell = list[float]


def fold(cell: Cell, tick: Price) -> Cell:
    """Open, high, low, close, volume, count."""
    price = tick.price
    if not cell:
        return [price, price, price, price, tick.size, 1]
    if price > cell[1]:
        cell[1] = price
    if price < cell[2]:
        cell[2] = price
    cell[3] = price
    cell[4] += tick.size
    cell[5] += 1
    return cell


def merge(one: Cell, other: Cell) -> Cell:
    """Two cells of one window; never needed for tumbling windows."""
    return [
        one[0], max(one[1], other[1]), min(one[2], other[2]), other[3],
        one[4] + other[4], one[5] + other[5],
    ]  # fmt: skip


def prices(ticks: int) -> list[Price]:
    """The very ticks of the other side, all partitions', by time."""
    every = [
        event
        for events in spines(Load(0), ticks, 16).values()
        for event in events
        if isinstance(event, Tick)
    ]
    every.sort(key=lambda tick: tick.at)
    return [
        Price(tick.symbol, datetime.fromtimestamp(tick.at / 1e6, UTC), tick.price, tick.size)
        for tick in every
    ]


def main(ticks: int) -> None:
    """Run it."""
    found: list[Any] = []
    flow = Dataflow("candles")
    source = op.input("ticks", flow, TestingSource(prices(ticks), batch_size=500))
    keyed = op.key_on("symbol", source, lambda tick: tick.symbol)
    clock = win.EventClock(lambda tick: tick.at, wait_for_system_duration=timedelta(0))
    minutes = win.TumblingWindower(
        length=timedelta(minutes=1), align_to=datetime(2026, 1, 1, tzinfo=UTC)
    )
    candles = win.fold_window("candle", keyed, clock, minutes, list, fold, merge)
    op.output("candles", candles.down, TestingSink(found))
    start = process_time()
    run_main(flow)
    cpu_s = process_time() - start
    print(json.dumps({"cpu_s": cpu_s, "candles": len(found)}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
