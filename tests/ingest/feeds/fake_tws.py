"""A small TWS on the wire: what our requests need of it, and what a test lets it say.

Handshake: ``API`` and a zero byte, the versions behind their length, answered with 176 and a time.
Then messages of NUL-ended fields behind their length. Requests and their answers by number: 71
start (15 accounts, 9 next id, 4 messages), 9 contract (10, 52), 1 market data, 97 trade by trade,
20 candles (17), 2 and 98 cancel.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

VERSION = "176"
FARMS = ("Market data farm connection is OK:usfuture", "HMDS data farm connection is OK:ushmds")


class FakeTws:
    """Serves on a free port. ``asked`` is every request, ``contracts`` what it knows, by symbol."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[list[str]] = []
        self.contracts = {"MES": 11, "EUR": 12, "VIX": 13, "DAX": 14}
        self.taken_ids: set[str] = set()
        self.client_ids: list[str] = []
        self.no_trades: set[str] = set()
        self.bars: list[tuple[str, ...]] = []
        self.bars_error: tuple[int, str] | None = None
        self.is_mute = False
        self.forgets_candles = False
        self.makes_bars = False
        self._writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeTws"]:
        """Listen until the end of the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await self.hang_up()
            await server.wait_closed()

    async def hang_up(self) -> None:
        """End all connections, from one moment to the next."""
        writers, self._writers = self._writers, []
        for writer in writers:
            writer.close()

    def say(self, *fields: object) -> None:
        """A message to whoever is connected."""
        for writer in self._writers:
            writer.write(message(*fields))

    def note(self, code: int, text: str, request: int = -1) -> None:
        """An error, a warning or news."""
        self.say(4, 2, request, code, text, "")

    def requests(self, kind: int, symbol: str) -> list[str]:
        """The numbers of the requests of a kind about a symbol, in order."""
        place = {1: (2, 4), 97: (1, 3), 20: (1, 3)}[kind]
        wanted = [one for one in self.asked if one[0] == str(kind)]
        return [one[place[0]] for one in wanted if one[place[1]] == symbol]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(4)
            await self._read(reader)
            if not self.is_mute:
                writer.write(message(VERSION, "20261121 09:00:00 GMT"))
            while True:
                fields = (await self._read(reader)).split("\0")[:-1]
                if fields[0] == "71" and not self._start(writer, fields[2]):
                    break
                self._answer(fields)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> str:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        return (await reader.readexactly(length)).decode()

    def _start(self, writer: asyncio.StreamWriter, client_id: str) -> bool:
        """Greet, or refuse a client id that somebody has."""
        self.client_ids.append(client_id)
        if client_id in self.taken_ids:
            writer.write(message(4, 2, -1, 326, "Unable to connect as the client id is in use", ""))
            return False
        self._writers.append(writer)
        self.say(15, 1, "DU000001")
        self.say(9, 1, 1)
        for code, text in zip((2104, 2106), FARMS, strict=True):
            self.note(code, text)
        return True

    def _answer(self, fields: list[str]) -> None:
        self.asked.append(fields)
        answers: dict[str, Callable[[list[str]], None]] = {
            "9": self._contract,
            "97": self._trades,
            "1": self._prices,
            "20": self._candles,
        }
        if fields[0] in answers:
            answers[fields[0]](fields)

    def _contract(self, fields: list[str]) -> None:
        number, symbol, kind, exchange = fields[2], fields[4], fields[5], fields[10]
        if symbol not in self.contracts:
            self.note(200, "No security definition has been found for the request", int(number))
            return
        known = self.contracts[symbol]
        # Symbol, kind, expiry, strike, right, exchange, currency, local symbol, market, class, id.
        named = (symbol, kind, "20261218", 0, "", exchange, "USD", f"{symbol}Z6", symbol, symbol)
        self.say(10, number, *named, known, "0.25", 5, *[""] * 2, 1, 0, *[""] * 11, 0, *[""] * 6,
                 1, 1, 1)  # fmt: skip
        self.say(52, 1, number)

    def _trades(self, fields: list[str]) -> None:
        if fields[3] in self.no_trades:
            self.note(10189, "Failed to request tick-by-tick data", int(fields[1]))

    def _prices(self, fields: list[str]) -> None:
        self.say(58, 1, fields[2], 1)

    def _candles(self, fields: list[str]) -> None:
        if self.bars_error is not None:
            self.note(*self.bars_error, int(fields[1]))
            return
        if self.forgets_candles:
            return
        bars = made_bars(fields) if self.makes_bars else self.bars
        flat = [value for bar in bars for value in bar]
        self.say(17, fields[1], "", "", len(bars), *flat)


def made_bars(fields: list[str]) -> list[tuple[str, ...]]:
    """Candles at 100 for every window that a request asks for."""
    end = datetime.strptime(fields[15], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    step = {"1 min": 60, "15 mins": 900, "1 hour": 3_600}[fields[16]]
    number, unit = fields[17].split()
    length = int(number) * (86_400 if unit == "D" else 1)
    last = int(end.timestamp()) // step * step
    opens = range(last - length // step * step, last, step)
    return [(str(at), *["100"] * 4, "5", "100", "1") for at in opens]


def message(*fields: object) -> bytes:
    """Fields as they stand on the wire."""
    body = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(body)) + body
