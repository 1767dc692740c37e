"""Twelve Data as a provider: FX first, paid for in credits that all replicas share."""

from collections.abc import Mapping, Sequence

from services.ingest.adapters.budgets import Budget
from services.ingest.adapters.feeds.live.provider import TOGETHER_US, Reach
from services.ingest.adapters.feeds.twelvedata.parse import read
from services.ingest.adapters.feeds.twelvedata.wire import ROWS_MAX, Wire
from services.ingest.domain.asking import Ask, ProviderFault, Reply
from services.ingest.settings import TwelveDataSection
from shared.clock import Clock
from shared.market.timeframes import LENGTH_US

NAME = "twelvedata"
_DAY_US = LENGTH_US["1d"]
# What one answer holds, less the minutes by which asks of one call may be apart: what does not fit
# would be left out in silence.
_ROWS = ROWS_MAX - 2 * TOGETHER_US // LENGTH_US["1m"] - 1
# Minutes are to be had for about a month back.
_REACH: Reach = {
    "1m": (28 * _DAY_US, _ROWS * LENGTH_US["1m"]),
    "15m": (360 * _DAY_US, _ROWS * LENGTH_US["15m"]),
    "1h": (720 * _DAY_US, _ROWS * LENGTH_US["1h"]),
}


class TwelveData:
    """Every symbol of a call costs a credit, in batches too, so batches save round trips only."""

    name = NAME
    parallel = 2
    reach = _REACH

    def __init__(self, section: TwelveDataSection, budget: Budget, clock: Clock) -> None:
        if section.key is None:
            raise ValueError("Twelve Data cannot be asked without a key")
        self.interval_s = section.interval_s
        self.batch = min(section.batch, section.credits_minute)
        self._wire = Wire(section.base_url, section.key, section.timeout_s)
        self._budget = budget
        self._clock = clock

    async def room(self, calls: int, now: int) -> tuple[int, float]:
        return await self._budget.reserve(calls, now)

    async def candles(self, asks: Sequence[Ask]) -> Mapping[str, Reply]:
        first, until = asks[0], max(ask.until for ask in asks)
        names = [ask.name for ask in asks]
        since = min(ask.since for ask in asks)
        answer = await self._wire.series(names, first.timeframe, since, until)
        await self._budget.settle(answer.used, answer.left, self._clock.now())
        try:
            replies = read(answer.status, answer.retry_after, answer.body, names)
        except ProviderFault as fault:
            if fault.kind == "limit" and fault.retry_after_s is not None:
                await self._budget.block(fault.retry_after_s, self._clock.now())
            raise
        return {ask.symbol: replies[ask.name] for ask in asks}

    async def close(self) -> None:
        await self._wire.close()
