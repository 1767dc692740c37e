"""``/ws/market/{symbol}/{timeframe}``: one chart, live."""

import asyncio
import contextlib
from typing import cast, get_args

from starlette.websockets import WebSocket, WebSocketDisconnect

from services.charts.adapters.hub import Client, Hub, HubFull, Wish
from services.charts.domain import messages
from services.charts.domain.nearest import unknown_symbol
from shared.market.timeframes import Timeframe
from shared.service.encoding import encoded

# Private close codes that mirror HTTP; 1013 is the protocol's own "try again later".
CLOSE_NOT_FOUND = 4404
CLOSE_INVALID = 4422
CLOSE_TRY_LATER = 1013
# How Starlette says that the other side has closed.
GONE = (WebSocketDisconnect, RuntimeError)


class Refused(Exception):
    """A connection that cannot be served."""

    def __init__(self, code: int, status: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
        self.detail = detail


class MarketSocket:
    """The WebSocket endpoint. Every ``ping_s`` without a message brings a ping."""

    def __init__(self, hub: Hub, ping_s: float) -> None:
        self._hub = hub
        self._ping_s = ping_s

    async def serve(self, websocket: WebSocket, symbol: str, timeframe: str) -> None:
        """Greet, then send until the client goes.

        A refused client is told why in an ``error`` message before the close, because browsers do
        not show a page the status of a failed handshake.
        """
        await websocket.accept()
        try:
            client = self._hub.join(self._wish(websocket, symbol, timeframe))
        except Refused as refused:
            await self._refuse(websocket, refused)
            return
        except HubFull as full:
            await self._refuse(websocket, Refused(CLOSE_TRY_LATER, 503, str(full)))
            return
        try:
            await self._serve(websocket, client)
        finally:
            self._hub.leave(client)

    def _wish(self, websocket: WebSocket, symbol: str, timeframe: str) -> Wish:
        if not self._hub.ready:
            raise Refused(CLOSE_TRY_LATER, 503, "history is still being read; try again soon")
        if timeframe not in get_args(Timeframe):
            known = ", ".join(get_args(Timeframe))
            detail = f"unknown timeframe {timeframe!r}; use one of {known}"
            raise Refused(CLOSE_INVALID, 422, detail)
        if not self._hub.book.knows(symbol):
            raise Refused(CLOSE_NOT_FOUND, 404, unknown_symbol(symbol, self._hub.book.symbols()))
        since = websocket.query_params.get("since")
        if since is not None and not since.isdecimal():
            raise Refused(CLOSE_INVALID, 422, "since: microseconds UTC are wanted")
        return Wish(
            key=(symbol, cast(Timeframe, timeframe)),
            since=None if since is None else int(since),
            all_alerts=websocket.query_params.get("alerts") == "all",
        )

    async def _refuse(self, websocket: WebSocket, refused: Refused) -> None:
        message = messages.refusal(refused.status, refused.detail)
        with contextlib.suppress(*GONE):
            await websocket.send_text(encoded(message).decode())
            await websocket.close(refused.code)

    async def _serve(self, websocket: WebSocket, client: Client) -> None:
        tasks = [
            asyncio.create_task(self._send(websocket, client)),
            asyncio.create_task(_hear_out(websocket)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _send(self, websocket: WebSocket, client: Client) -> None:
        with contextlib.suppress(*GONE):
            await websocket.send_text(self._hub.hello(client, self._ping_s))
            while True:
                try:
                    text = await asyncio.wait_for(self._hub.next(client), self._ping_s)
                except TimeoutError:
                    text = self._hub.ping(client)
                await websocket.send_text(text)


async def _hear_out(websocket: WebSocket) -> None:
    """Read until the client goes; what it says is of no interest."""
    with contextlib.suppress(*GONE):
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
