"""A feed that offers so many ticks a second, and ingest around it as a process of its own.

Prices go up and down through the middle pivot, so that alerts come at an even pace. The market's
time runs as fast as the wall's, but from a moment of its own.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass

from services.ingest.app import build_app
from services.ingest.domain.items import Cursors, FeedCandle, FeedTick, FeedTime, Item
from services.ingest.settings import IngestSettings
from shared.market.timeframes import LENGTH_US
from shared.service.frame import Service
from shared.service.main import main

SOURCE = "load"
MIDDLE, TICK = 1.1, 1e-5
DAY = LENGTH_US["1d"]
# A Wednesday of 2026, midnight UTC.
MIDNIGHT = 20_614 * DAY
_AMPLITUDE = 100
_STEP_S = 0.005
_PORTION = 500
WARM_DAYS = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What is offered: ticks a second over all symbols (0: as many as are taken), and from when.

    ``lead_s`` is how long before midnight the market begins; a tick every ``period / 2`` of a
    symbol goes through the middle.
    """

    rate: int
    symbols: int = 50
    lead_s: float = 3600.0 * 9

    @property
    def names(self) -> list[str]:
        """The symbols."""
        return [f"S{n:05d}" for n in range(self.symbols)]

    @property
    def start(self) -> int:
        """The market's time at the first tick, µs."""
        return MIDNIGHT - int(self.lead_s * 1e6)

    def period(self) -> int:
        """Ticks of a symbol from the middle and back to it: one alert a second and symbol."""
        return max(40, 2 * self.rate // 50) if self.rate else 4_000

    def instruments(self) -> str:
        """The instrument file."""
        return "\n".join(
            f'[{name}]\ntitle = "{name}"\nkind = "fx"\ntick_size = {TICK:.5f}\ndecimals = 5\n'
            'session = { zone = "UTC", start = "00:00", end = "00:00", days = [1,2,3,4,5,6,7] }\n'
            for name in self.names
        )


# What alerts come from: the middle pivot is touched at every passing.
RULES = """
name = "load"
signals_a_day_max = 1000000
[[rules]]
name = "touch"
when = { kind = "touch", timeframe = "1d", levels = ["pivot.classic.pp"], within_ticks = 2 }
life = { rearm_ticks = 40, cooldown_s = 0 }
"""


class LoadFeed:
    """Offers a load, every partition its share."""

    name = SOURCE

    def __init__(self, load: Load) -> None:
        self._load = load
        self._waves = wave(load.period())

    async def identity(self) -> str:
        return SOURCE

    async def symbols(self) -> Sequence[str]:
        return self._load.names

    async def stream(
        self, symbols: Sequence[str], cursors: Cursors
    ) -> AsyncIterator[Sequence[Item]]:
        load = self._load
        mine = [name for name in symbols if name.startswith("S")]
        for first in range(0, len(mine), 50):
            yield [candle for name in mine[first : first + 50] for candle in self._seeds(name)]
        ticks = self._ticks(mine)
        began, sent = time.monotonic(), 0
        share = load.rate * len(mine) / load.symbols
        while True:
            elapsed = time.monotonic() - began
            now = load.start + int(elapsed * 1e6)
            due = int(elapsed * share) - sent if load.rate else _PORTION
            due = min(due, 8 * _PORTION) if mine else 0
            if due > 0:
                yield [ticks(now, n) for n in range(sent, sent + due)]
                sent += due
            yield [FeedTime(now)]
            await asyncio.sleep(_STEP_S if load.rate or not mine else 0)

    def _ticks(self, mine: Sequence[str]) -> Callable[[int, int], FeedTick]:
        """Makes the n-th tick of these symbols, at a time."""
        prices, count = self._waves, len(mine)
        length = len(prices)
        # Symbols are out of step, so that their alerts do not come all at once.
        shifts = [n * length // max(1, count) for n in range(count)]

        def tick(now: int, n: int) -> FeedTick:
            turn, which = divmod(n, count)
            price = prices[(turn + shifts[which]) % length]
            return FeedTick(mine[which], now, price, 1.0, SOURCE)

        return tick

    def _seeds(self, name: str) -> Iterator[FeedCandle]:
        for day in range(WARM_DAYS, 0, -1):
            open_at = MIDNIGHT - (day + 1) * DAY
            prices = (MIDDLE, MIDDLE + 0.002, MIDDLE - 0.002, MIDDLE)
            yield FeedCandle(name, "1d", open_at, open_at + DAY, *prices, 1.0, SOURCE, "seed")


def wave(period: int) -> list[float]:
    """A triangle around the middle, 100 ticks up and down."""
    quarter = period / 4
    found = []
    for n in range(period):
        along = n / quarter
        height = along if along <= 1 else 2 - along if along <= 3 else along - 4
        found.append(round(MIDDLE + round(height * _AMPLITUDE) * TICK, 5))
    return found


def _build(settings: IngestSettings) -> Service:
    given = os.environ
    load = Load(int(given["LOAD_RATE"]), int(given["LOAD_SYMBOLS"]), float(given["LOAD_LEAD_S"]))
    return build_app(settings, feed=LoadFeed(load))


if __name__ == "__main__":
    main(_build, IngestSettings)
