"""Yahoo as a provider: one request a symbol, no key, no credits to count."""

from collections.abc import Mapping, Sequence

from services.ingest.adapters.feeds.live.provider import Reach
from services.ingest.adapters.feeds.yfinance.parse import read
from services.ingest.adapters.feeds.yfinance.wire import Wire
from services.ingest.domain.asking import Ask, Reply
from services.ingest.settings import YfinanceSection
from shared.market.timeframes import LENGTH_US

NAME = "yfinance"
_DAY_US = LENGTH_US["1d"]
# What Yahoo keeps: minutes for 30 days and a week of them at once, quarter hours for 60 days.
_REACH: Reach = {
    "1m": (29 * _DAY_US, 7 * _DAY_US),
    "15m": (59 * _DAY_US, 59 * _DAY_US),
    "1h": (700 * _DAY_US, 700 * _DAY_US),
}


class Yfinance:
    """Yahoo's charts, asked symbol by symbol."""

    name = NAME
    batch = 1
    reach = _REACH

    def __init__(self, section: YfinanceSection) -> None:
        self.interval_s = section.interval_s
        self.parallel = section.parallel
        self._wire = Wire(section.base_url, section.timeout_s, section.parallel)

    async def room(self, calls: int, now: int) -> tuple[int, float]:
        return calls, 0.0

    async def candles(self, asks: Sequence[Ask]) -> Mapping[str, Reply]:
        replies: dict[str, Reply] = {}
        for ask in asks:
            answer = await self._wire.chart(ask.name, ask.timeframe, ask.since, ask.until)
            replies[ask.symbol] = read(answer.status, answer.retry_after, answer.body)
        return replies

    async def close(self) -> None:
        await self._wire.close()
