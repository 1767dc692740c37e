"""One partition's part of the live feed: its watched symbols, and what is ready for its spine."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import Cursor, Cursors, Item
from services.ingest.domain.track import Track

Names = Callable[[str], Mapping[str, str]]
"""A symbol's names at the providers of its kind, in the order of choice."""
# Answers that wait for the spine's writer. Full, the symbols of this partition are asked no more:
# what they miss is asked for later.
_READY_MAX = 64


class Desk:
    """Tracks by symbol, most watched first, and a queue of items.

    ``owns`` says what is its own, ``laid_over`` where prices are told besides the candles.
    """

    def __init__(
        self,
        owns: Callable[[str], bool],
        table: InstrumentTable,
        names: Names,
        cursors: Cursors,
        laid_over: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.owns = owns
        self.tracks: dict[str, Track] = {}
        self._table = table
        self._names = names
        self._laid_over = laid_over
        self._cursors = dict(cursors)
        self._unknown: set[str] = set()
        self._ready: asyncio.Queue[list[Item]] = asyncio.Queue()

    @property
    def is_full(self) -> bool:
        """Whether the spine's writer is behind."""
        return self._ready.qsize() >= _READY_MAX

    def watch(self, symbols: Iterable[str], now: int) -> list[str]:
        """Follow its own of these from now on; those of them that no provider has a name for."""
        wanted = [symbol for symbol in symbols if self.owns(symbol)]
        for symbol in [one for one in self.tracks if one not in wanted]:
            gone = self.tracks.pop(symbol)
            if gone.known:
                self._cursors[symbol] = Cursor(gone.known, 1)
        new = [symbol for symbol in wanted if symbol not in self.tracks]
        self._unknown &= set(wanted)
        for symbol in new:
            instrument = self._table.find(symbol)
            if instrument is not None:
                names = self._names(symbol)
                cursor = self._cursors.get(symbol)
                over = self._laid_over(symbol)
                self.tracks[symbol] = Track(instrument, names, cursor, now, over)
        unknown = {one for one in new if one not in self.tracks} - self._unknown
        self._unknown |= unknown
        return [one for one in new if one in unknown or self._is_nameless(one)]

    def _is_nameless(self, symbol: str) -> bool:
        return symbol in self.tracks and not self.tracks[symbol].names

    def put(self, items: list[Item]) -> None:
        """Hand items over, in order."""
        if items:
            self._ready.put_nowait(items)

    async def take(self, timeout_s: float) -> list[Item]:
        """What is ready, waiting so long for it."""
        try:
            async with asyncio.timeout(timeout_s):
                items = await self._ready.get()
        except TimeoutError:
            return []
        while not self._ready.empty():
            items = [*items, *self._ready.get_nowait()]
        return items
