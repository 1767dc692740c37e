"""The connection to TWS: ib_async's client and decoder on the wire, our own ears behind them.

Only the wire of ib_async is used. Its order and account book-keeping is none of our business, and
its tickers stamp trades with the time of arrival, where the message holds the exchange's.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from ib_async.client import Client
from ib_async.contract import Contract
from ib_async.decoder import Decoder

from services.ingest.adapters.feeds.ibkr.heard import (
    Delay,
    Gone,
    Heard,
    Note,
    Packet,
    Shown,
    Stamp,
    Trade,
)
from services.ingest.adapters.feeds.ibkr.parse import Shows, Spec, Stretch, TwsCandle, effect

# It tells of every lost connection itself, as errors; we tell of it once, in our own words.
logging.getLogger("ib_async").setLevel(logging.CRITICAL)


class Refusal(Exception):
    """TWS refused a request: its code and its own words."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{text} (code {code})")
        self.code = code
        self.text = text


class Lost(Exception):
    """The connection cannot be made, or is gone."""


class IdTaken(Exception):
    """Another program has this client id."""


_DELAYED = {3, 4}


class _Decoder(Decoder):
    """Counts what cannot be read, where ib_async writes it to a log."""

    wrapper: Any

    def interpret(self, fields: Sequence[str]) -> None:
        try:
            self.handlers[int(fields[0])](fields)
        except (AttributeError, IndexError, KeyError, NameError, TypeError, ValueError):
            self.wrapper.malformed += 1


class _Ears:
    """What ib_async's decoder calls; a method it does not find here it passes over."""

    def __init__(self, heard: Callable[[Heard], None]) -> None:
        self.malformed = 0
        self.waiting: dict[int, asyncio.Future[Any]] = {}
        self.parts: dict[int, list[Any]] = {}
        self.refused = asyncio.get_running_loop().create_future()
        self._heard = heard

    # ruff: noqa: N802, N803 - the names are ib_async's
    def connectAck(self) -> None:
        """The handshake is done."""

    def setEventsDone(self) -> None:
        """Nobody waits for an answer any more."""
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(Lost("the connection was lost"))

    def connectionClosed(self) -> None:
        self._heard(Gone("the connection was closed"))

    def tcpDataProcessed(self) -> None:
        self._heard(Packet())

    def error(self, reqId: int, errorCode: int, errorString: str, _: str = "") -> None:
        if effect(errorCode, errorString) == "client_id" and not self.refused.done():
            self.refused.set_result(None)
        future = self.waiting.get(reqId)
        if future is None:
            self._heard(Note(reqId, errorCode, errorString))
        # Warnings about a question (2100 to 2199) do not answer it.
        elif not future.done() and not 2100 <= errorCode < 2200:
            future.set_exception(Refusal(errorCode, errorString))

    def tickByTickAllLast(self, reqId: int, _: int, time: int, price: float, *more: Any) -> None:
        self._heard(Trade(reqId, time, price, more[0]))

    def priceSizeTick(self, reqId: int, tickType: int, price: float, size: float) -> None:
        self._heard(Shown(reqId, tickType, price, size))

    def tickString(self, reqId: int, tickType: int, value: str) -> None:
        self._heard(Stamp(reqId, tickType, value))

    def marketDataType(self, reqId: int, marketDataId: int) -> None:
        self._heard(Delay(reqId, marketDataId in _DELAYED))

    def contractDetails(self, reqId: int, contractDetails: Any) -> None:
        self.parts.setdefault(reqId, []).append(contractDetails.contract)

    def contractDetailsEnd(self, reqId: int) -> None:
        self._answer(reqId)

    def historicalData(self, reqId: int, bar: Any) -> None:
        read = TwsCandle(bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume)
        self.parts.setdefault(reqId, []).append(read)

    def historicalDataEnd(self, reqId: int, *_: Any) -> None:
        self._answer(reqId)

    def _answer(self, request: int) -> None:
        future = self.waiting.get(request)
        if future is not None and not future.done():
            future.set_result(self.parts.get(request, []))


class Tws:
    """One connection. ``heard`` is called with all that concerns no question of ours."""

    def __init__(self, heard: Callable[[Heard], None], timeout_s: float) -> None:
        self._ears = _Ears(heard)
        ears: Any = self._ears
        client: Any = Client
        self._client = client(ears)
        self._client.decoder = _Decoder(ears, 0)
        self._timeout_s = timeout_s

    @property
    def is_open(self) -> bool:
        """Whether requests can be made."""
        return bool(self._client.isReady())

    @property
    def malformed(self) -> int:
        """How many messages could not be read."""
        return self._ears.malformed

    async def open(self, host: str, port: int, client_id: int) -> None:
        """Connect and shake hands.

        Raises:
            IdTaken: another program has the client id.
            Lost: nobody listens there, or whoever does says nothing.
        """
        ended = asyncio.get_running_loop().create_future()

        def on_error(reason: str) -> None:
            if not ended.done():
                ended.set_result(reason)

        self._client.apiError += on_error
        opening = asyncio.ensure_future(
            self._client.connectAsync(host, port, client_id, self._timeout_s)
        )
        waits = {opening, ended, self._ears.refused}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if self._ears.refused.done():
                raise IdTaken(f"client id {client_id} is taken")
            if ended.done() or opening.exception() is not None:
                why = ended.result() if ended.done() else repr(opening.exception())
                raise Lost(f"TWS at {host}:{port}: {why}")
        finally:
            self._client.apiError -= on_error
            if not self.is_open:
                await self._give_up(opening)

    async def _give_up(self, opening: asyncio.Future[Any]) -> None:
        opening.cancel()
        await asyncio.wait([opening])
        if not opening.cancelled():
            opening.exception()
        await self.close()

    async def close(self) -> None:
        """Disconnect, and wait until the socket is closed."""
        self._ears.setEventsDone()
        connection = self._client.conn
        self._client.disconnect()
        for _ in range(100):
            if not connection.isConnected():
                break
            await asyncio.sleep(0.01)

    async def lead(self, spec: Spec) -> Any:
        """The contract that a spec names; of a continuous future the leading month.

        Raises:
            Refusal: TWS knows no such contract, or more than one.
            Lost: the connection is gone, or no answer came.
        """
        found = await self._ask(lambda n: self._client.reqContractDetails(n, _contract(spec)))
        if len(found) != 1:
            raise Refusal(200, f"{len(found)} contracts are {spec}")
        (contract,) = found
        if contract.secType == "CONTFUT":
            # The same contract under its own kind: the continuous one has no live prices.
            contract.secType = "FUT"
        return contract

    async def past(self, contract: Any, when: Stretch, shows: Shows) -> list[TwsCandle]:
        """Candles of the past.

        Raises:
            Refusal: TWS has none, or refuses.
            Lost: the connection is gone, or no answer came.
        """

        def request(number: int) -> None:
            self._client.reqHistoricalData(
                number, contract, when.end, when.duration, when.size, shows,
                0, 2, False, [],
            )  # fmt: skip

        found: list[TwsCandle] = await self._ask(request)
        return found

    def delayed(self) -> None:
        """Take prices that are 15 minutes late where there are no live ones."""
        self._client.reqMarketDataType(3)

    def follow_trades(self, contract: Any) -> int:
        """Subscribe trade by trade; the number of the request."""
        number = int(self._client.getReqId())
        self._client.reqTickByTickData(number, contract, "AllLast", 0, False)
        return number

    def follow_prices(self, contract: Any) -> int:
        """Subscribe to market data; the number of the request."""
        number = int(self._client.getReqId())
        self._client.reqMktData(number, contract, "", False, False, [])
        return number

    def stop_trades(self, request: int) -> None:
        """End a subscription."""
        self._client.cancelTickByTickData(request)

    def stop_prices(self, request: int) -> None:
        """End a subscription."""
        self._client.cancelMktData(request)

    async def _ask(self, request: Callable[[int], None]) -> Any:
        if not self.is_open:
            raise Lost("not connected")
        number = int(self._client.getReqId())
        future = asyncio.get_running_loop().create_future()
        self._ears.waiting[number] = future
        try:
            request(number)
            async with asyncio.timeout(self._timeout_s):
                return await future
        except TimeoutError:
            raise Lost(f"no answer within {self._timeout_s:g} s") from None
        except ConnectionError as error:
            raise Lost(str(error)) from None
        finally:
            del self._ears.waiting[number]
            self._ears.parts.pop(number, None)


def _contract(spec: Spec) -> Any:
    return Contract(
        symbol=spec.symbol,
        secType=spec.kind,
        exchange=spec.exchange,
        currency=spec.currency,
        lastTradeDateOrContractMonth=spec.expires,
        strike=spec.strike,
        right=spec.right,
    )
