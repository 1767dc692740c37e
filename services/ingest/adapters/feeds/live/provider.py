"""The one interface of providers: what the live feed asks of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from services.ingest.domain.asking import Ask, Reply
from services.ingest.domain.items import FeedTick
from shared.market.timeframes import Timeframe

# How far back candles are to be had, and how much of it in one call (µs).
Reach = Mapping[Timeframe, tuple[int, int]]
# The asks of one call begin within this (µs) of the first one's beginning, before it or after, so
# that no answer grows beyond its need.
TOGETHER_US = 900_000_000


class Provider(Protocol):
    """A provider that is asked for candles.

    ``interval_s`` is how often a symbol is asked for, ``batch`` how many asks of one timeframe and
    stretch a call may hold, ``parallel`` how many calls may be under way. ``reach`` gives the
    oldest age of candles and the longest stretch an ask may have, by timeframe.
    """

    name: str
    interval_s: float
    batch: int
    parallel: int
    reach: Reach

    async def room(self, calls: int, now: int) -> tuple[int, float]:
        """How many of so many asks may be made now (µs), and seconds until more may be.

        What is granted counts as used.
        """
        ...

    async def candles(self, asks: Sequence[Ask]) -> Mapping[str, Reply]:
        """The replies by symbol, one for every ask.

        Raises:
            ProviderFault: the call as a whole failed.
        """
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


class Streamer(Protocol):
    """A provider that speaks by itself; candles for what it has not said come from another.

    One that ``follows_changes`` looks at the symbols that it was given while it runs; any other is
    begun anew for every change of them.
    """

    name: str
    follows_changes: bool

    def prices(self, names: Mapping[str, str]) -> AsyncIterator[Sequence[FeedTick]]:
        """Batches of prices of these symbols (ours by theirs), an empty one now and then.

        The first batch, empty or not, says that it listens. Never ends by itself.

        Raises:
            ProviderFault: the connection was lost, by whatever way.
        """
        ...
