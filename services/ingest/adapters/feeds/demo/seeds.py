"""What the simulated market did before the demonstration starts, as candles."""

from collections.abc import Iterator

import numpy as np

from services.ingest.adapters.feeds.demo.market import DemoMarket, Ticks
from services.ingest.domain.items import FeedCandle
from services.ingest.domain.sessions import Span, window
from shared.market.timeframes import LENGTH_US, Timeframe

SOURCE = "demo"
# Long enough for charts of one and five minutes to be full, short enough to start in a second.
_FINE_US = 3 * LENGTH_US["1h"]


def seeds(market: DemoMarket, symbol: str) -> Iterator[FeedCandle]:
    """Candles of the last sessions up to the start, in order: 15m, then 1m for the last hours."""
    fine_from = market.start - _FINE_US
    for span in market.sessions(symbol, 0, market.start):
        ticks = market.ticks(symbol, span)
        yield from _candles(symbol, ticks, span, "15m", (span.open_at, fine_from))
        since = max(span.open_at, fine_from)
        yield from _candles(symbol, ticks, span, "1m", (since, market.start))


def _candles(
    symbol: str, ticks: Ticks, span: Span, timeframe: Timeframe, part: tuple[int, int]
) -> Iterator[FeedCandle]:
    """The session's candles whose windows lie in the part; it starts and ends on window edges."""
    since, until = part
    while since < min(until, span.end):
        open_at, end = window(timeframe, since, span)
        first, last = np.searchsorted(ticks.at, (open_at, end))
        prices, sizes = ticks.price[first:last], ticks.size[first:last]
        if len(prices):
            yield FeedCandle(
                symbol=symbol,
                timeframe=timeframe,
                open_at=open_at,
                at=end,
                open=float(prices[0]),
                high=float(prices.max()),
                low=float(prices.min()),
                close=float(prices[-1]),
                volume=float(sizes.sum()),
                source=SOURCE,
                origin="seed",
            )
        since = end
