"""The market of a run: a simulated one, thinned out and written to a file that the feed plays."""

import csv
from dataclasses import dataclass
from pathlib import Path

from services.ingest.adapters.feeds.demo.feed import START
from services.ingest.adapters.feeds.demo.market import DemoMarket
from services.ingest.domain.instruments import built_in
from shared.events.base import MICROS_PER_MINUTE
from tests.chaos.faults import MARKET_S

SYMBOLS = ("EURUSD", "XAUUSD", "DAX", "VIX")
# Of each symbol's three sessions every so many minutes: levels to cross, and few enough ticks.
_SESSIONS = slice(1, 4)
_EVERY_MINUTES = 12

Row = tuple[int, str, float, float]
"""Time (µs UTC), symbol, price, size."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A tick file and what it holds, in the order of time."""

    path: Path
    rows: tuple[Row, ...]

    @property
    def speed(self) -> float:
        """How many times faster than life it lasts ``MARKET_S`` seconds."""
        return (self.rows[-1][0] - self.rows[0][0]) / 1_000_000 / MARKET_S


def record(path: Path, seed: int) -> Recording:
    """Write one market's ticks."""
    rows = sorted(_rows(seed))
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("time", "symbol", "price", "size"))
        out.writerows(rows)
    return Recording(path, tuple(rows))


def _rows(seed: int) -> list[Row]:
    market = DemoMarket(seed, START, {one.symbol: one for one in built_in()})
    rows: list[Row] = []
    for symbol in SYMBOLS:
        for span in list(market.sessions(symbol, 0, START))[_SESSIONS]:
            at, price, size = market.ticks(symbol, span)
            kept = at // MICROS_PER_MINUTE % _EVERY_MINUTES == 0
            columns = (at[kept].tolist(), price[kept].tolist(), size[kept].tolist())
            rows += [(when, symbol, what, much) for when, what, much in zip(*columns, strict=True)]
    return rows
