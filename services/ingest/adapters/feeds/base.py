"""The one interface of every price feed."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from services.ingest.domain.items import Cursors, Item


class FeedError(Exception):
    """A feed cannot give prices; the message names the thing and the mend."""


class Feed(Protocol):
    """A source of prices, asked for the symbols of one partition at a time.

    ``name`` is the source of its prices. ``identity`` tells it from another source of that name:
    cursors are of use to the very same one only.
    """

    name: str

    async def identity(self) -> str:
        """What this source is, over restarts.

        Raises:
            FeedError: the source cannot be used.
        """
        ...

    async def symbols(self) -> Sequence[str]:
        """Every symbol the source gives prices of.

        Raises:
            FeedError: the source cannot be used.
        """
        ...

    def stream(self, symbols: Sequence[str], cursors: Cursors) -> AsyncIterator[Sequence[Item]]:
        """Batches of items in market time, each symbol from just after its cursor.

        Who asks for the symbol ``*`` also gets what names no instrument, as rejections. A symbol
        without a cursor starts from the beginning, seeds included. Without symbols the
        stream still tells the time. It ends where the source does; a live one never does.

        Raises:
            FeedError: the source cannot be used.
        """
        ...
