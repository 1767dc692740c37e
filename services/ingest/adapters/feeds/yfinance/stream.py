"""Yahoo's WebSocket, under a loop of our own: every way in which it ends is a fault to begin after.

The package's own ``listen`` hangs on a clean close and never comes back from an abrupt one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from services.ingest.adapters.feeds.live.accounts import Accounts
from services.ingest.adapters.feeds.yfinance.frames import Decode, Frames
from services.ingest.domain.asking import ProviderFault
from services.ingest.domain.items import FeedTick
from services.ingest.settings import YfinanceSection

NAME = "yfinance_stream"
# Yahoo forgets whom it is not reminded of.
_REMIND_S = 15.0
_QUIET_S = 1.0
_FRAME_MAX = 1 << 20


class YfinanceStream:
    """Prices as Yahoo tells them, for symbols by Yahoo's names."""

    name = NAME
    # A connection made anew would lose what is told meanwhile, of all symbols.
    follows_changes = True

    def __init__(
        self, section: YfinanceSection, accounts: Accounts, now: Callable[[], int]
    ) -> None:
        self._section = section
        self._accounts = accounts
        self._now = now

    async def prices(self, names: Mapping[str, str]) -> AsyncIterator[Sequence[FeedTick]]:
        """Batches of prices; an empty one once it listens, and whenever a second is quiet.

        Raises:
            ProviderFault: the connection was not made, was closed or died.
        """
        decode = await asyncio.to_thread(_decoder)
        frames = Frames(NAME, names, self._section.price, decode)
        try:
            async with connect(
                self._section.stream_url,
                open_timeout=self._section.timeout_s,
                max_size=_FRAME_MAX,
            ) as socket:
                async for batch in self._listen(socket, frames, names):
                    yield batch
        except TimeoutError:
            raise ProviderFault("timeout", "no connection in time") from None
        except (OSError, WebSocketException) as error:
            told = str(error) or type(error).__name__
            raise ProviderFault("connection", told) from None

    async def _listen(
        self, socket: ClientConnection, frames: Frames, names: Mapping[str, str]
    ) -> AsyncIterator[Sequence[FeedTick]]:
        now = asyncio.get_running_loop().time
        told = list(names)
        await socket.send(json.dumps({"subscribe": told}))
        remind_at = now() + _REMIND_S
        await self._accounts.answered(NAME, was_lost=False)
        yield []
        while True:
            try:
                async with asyncio.timeout(_QUIET_S):
                    frame = await socket.recv()
                yield frames.read(frame, self._now())
            except TimeoutError:
                yield []
            if frames.dropped:
                self._accounts.dropped(NAME, frames.dropped)
                frames.dropped.clear()
            if gone := [name for name in told if name not in names]:
                await socket.send(json.dumps({"unsubscribe": gone}))
                frames.forget(gone)
            if now() >= remind_at or told != list(names):
                told = list(names)
                await socket.send(json.dumps({"subscribe": told}))
                remind_at = now() + _REMIND_S


def _decoder() -> Decode:
    """Read PricingData. The package takes two seconds to import, so it is where it is used."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from yfinance.pricing_pb2 import PricingData

    def decode(payload: bytes) -> object:
        message = PricingData()
        try:
            message.ParseFromString(payload)
        except DecodeError as error:
            raise ValueError(str(error)) from None
        return message

    return decode
