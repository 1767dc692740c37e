"""Sees to it that the spine tells what is subscribed, and no more, each with its past."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog
from redis.exceptions import RedisError

from services.indicators.adapters.checkpoints import Checkpoints, Known
from services.indicators.adapters.past import Past
from services.indicators.adapters.subscriptions import Subscriptions, Wanted
from services.indicators.domain.catalogue import parse
from services.indicators.domain.recipe import numbers
from services.indicators.domain.stage import Recipes
from services.indicators.domain.subscribed import RECIPES_MAX, SEED_MAX, beyond, row_of
from shared.bus.partitions import partition_of
from shared.clock import Clock
from shared.events import ConfigRequested
from shared.events.control import INDICATORS_KIND
from shared.market.timeframes import Timeframe
from shared.store.errors import StoreError

log = structlog.get_logger(__name__)

_LOOK_S = 5.0
_FIRST_WAIT_S = 1.0
# A feed that is away applies nothing: its inbox is not to fill with the same request.
_LAST_WAIT_S = 300.0
# Smoothed values forget what they began with after some lengths; sessions need days of candles.
_SEED_MIN = 300
_LENGTHS = 5


class Desk:
    """Compares what is wanted with what is in force, and asks for the difference.

    What is in force stands in the stage's own state, so that a server that was away or has lost its
    data is seen like a new subscription, and a past that came too late is given again.
    """

    def __init__(
        self, past: Past, clock: Clock, subscriptions: Subscriptions, recipes: Recipes
    ) -> None:
        self._log = past.log
        self._clock = clock
        self._subscriptions = subscriptions
        self._recipes = recipes
        self._past = past
        self._checkpoints = Checkpoints(past.log, recipes)

    async def run(self) -> None:
        """Look again and again; wait longer each time that nobody has applied a request."""
        wait = _FIRST_WAIT_S
        while True:
            try:
                asked = await self.ask_all()
            except (RedisError, StoreError, OSError) as error:
                log.warning("subscriptions_wait", reason=str(error))
                asked = 0
            wait = min(wait * 2, _LAST_WAIT_S) if asked else _FIRST_WAIT_S
            await asyncio.sleep(wait if asked else _LOOK_S)

    async def ask_all(self) -> int:
        """Request what is missing or too much of any symbol; of how many symbols.

        Raises:
            RedisError: the log is away.
            StoreError: the tables cannot be used.
        """
        wanted = await self._subscriptions.wanted()
        in_force = await self._checkpoints.subscribed()
        symbols = sorted({*wanted, *in_force})
        return sum([await self._ask(symbol, wanted.get(symbol, {})) for symbol in symbols])

    async def ask(self, symbol: str) -> bool:
        """Request what one symbol lacks or has too much; whether that was anything.

        Raises:
            RedisError: the log is away.
            StoreError: the tables cannot be used.
        """
        wanted = await self._subscriptions.wanted(symbol)
        return await self._ask(symbol, wanted.get(symbol, {}))

    async def _ask(self, symbol: str, wanted: Wanted) -> bool:
        known = await self._checkpoints.known(symbol)
        beyond_all = self._beyond(wanted)
        short = self._short(known, beyond_all)
        if beyond_all == known.subscribed and not short:
            return False
        seeds = {
            timeframe: [row_of(one) for one in await self._seed(symbol, timeframe, names)]
            for timeframe, names in short.items()
        }
        body: dict[str, Any] = {"recipes": beyond_all, "seeds": seeds} if beyond_all else {}
        request = ConfigRequested(
            symbol=symbol,
            at=self._clock.now(),
            pos=0,
            kind=INDICATORS_KIND,
            name=symbol,
            version=hashlib.sha256(orjson.dumps(body)).hexdigest()[:16],
            body=body,
        )
        partition = partition_of(symbol, self._log.partitions)
        await self._log.append(partition, "inbox", request.wire())
        log.info("indicators_requested", symbol=symbol, recipes=beyond_all)
        return True

    def _beyond(self, wanted: Wanted) -> dict[Timeframe, list[str]]:
        """What is wanted besides what everybody gets."""
        named = {
            timeframe: list(beyond(self._recipes[timeframe], names))[:RECIPES_MAX]
            for timeframe, names in wanted.items()
        }
        return {timeframe: names for timeframe, names in named.items() if names}

    @staticmethod
    def _short(
        known: Known, wanted: Mapping[Timeframe, Sequence[str]]
    ) -> dict[Timeframe, set[str]]:
        """The recipes that have no past yet."""
        found = {
            timeframe: {*names} - {*known.subscribed.get(timeframe, ())}
            | ({*names} & {*known.pending(timeframe)})
            for timeframe, names in wanted.items()
        }
        return {timeframe: names for timeframe, names in found.items() if names}

    async def _seed(self, symbol: str, timeframe: Timeframe, names: set[str]) -> Sequence[Any]:
        longest = max(max(numbers(parse(name)), default=0) for name in names)
        count = min(SEED_MAX, max(_SEED_MIN, round(_LENGTHS * longest)))
        return await self._past.candles((symbol, timeframe), count)
