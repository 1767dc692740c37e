"""IBKR as a provider: it speaks by itself, and answers questions of the past."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import structlog

from services.ingest.adapters.feeds.ibkr.heard import Gone
from services.ingest.adapters.feeds.ibkr.ids import ClientIds
from services.ingest.adapters.feeds.ibkr.lines import IsOpen, Lines
from services.ingest.adapters.feeds.ibkr.link import Link
from services.ingest.adapters.feeds.ibkr.parse import NAME, BadName, effect, given, spec, stretch
from services.ingest.adapters.feeds.ibkr.wire import Lost, Refusal, Tws
from services.ingest.adapters.feeds.live.provider import Reach
from services.ingest.domain.asking import Answer, Ask, ProviderFault, Refused, Reply
from services.ingest.domain.items import FeedTick
from services.ingest.sections import IbkrSection
from shared.clock import Clock
from shared.events.base import MICROS_PER_SECOND
from shared.market.timeframes import LENGTH_US
from shared.telemetry.metrics import MetricName, Row

log = structlog.get_logger(__name__)

_DAY_US = LENGTH_US["1d"]
# How much of the past one question may cover without TWS taking minutes over it.
_REACH: Reach = {
    "1m": (180 * _DAY_US, _DAY_US),
    "5m": (365 * _DAY_US, 7 * _DAY_US),
    "15m": (365 * _DAY_US, 14 * _DAY_US),
    "1h": (730 * _DAY_US, 30 * _DAY_US),
}
# Of candles of a minute and more TWS takes as many as it can: it slows down by itself, and refuses
# more than 50 at once. This leaves room for whoever else asks it.
_QUESTIONS, _WITHIN_US = 60, 60 * MICROS_PER_SECOND
# How often silence is looked for, and who follows hears that there is nothing.
_LOOK_S = 1.0
_BUSY_S = 60.0


class Ibkr:
    """Prices and candles over one connection.

    ``prices`` ends with the connection and is asked again by whoever wants more: then everything is
    resolved and subscribed anew. That is also what TWS' nightly restart and a new leading month of
    a future need.
    """

    name = NAME
    follows_changes = False
    interval_s = 60.0
    batch = 1
    parallel = 2
    reach = _REACH

    def __init__(self, section: IbkrSection, ids: ClientIds, clock: Clock, is_open: IsOpen) -> None:
        self._section = section
        self._clock = clock
        self._is_open = is_open
        self._link = Link(section, ids)
        self._contracts: dict[tuple[int, str], Any] = {}
        self._asked: list[int] = []
        self._lines: Lines | None = None

    async def prices(self, names: Mapping[str, str]) -> AsyncIterator[Sequence[FeedTick]]:
        """Batches of prices of these symbols (ours by theirs), an empty one now and then.

        Raises:
            ProviderFault: the connection cannot be made, or is lost.
        """
        tws = await self._link.open()
        lines = self._lines = Lines(
            tws,
            self._is_open,
            self._section.tick_by_tick_max,
            round(self._section.silent_s * MICROS_PER_SECOND),
        )
        try:
            for name, symbol in names.items():
                await self._follow(lines, tws, name, symbol)
            yield []
            while True:
                yield await self._heard(lines, tws)
        finally:
            lines.stop()

    async def room(self, calls: int, now: int) -> tuple[int, float]:
        self._asked = [at for at in self._asked if now - at < _WITHIN_US]
        granted = min(calls, _QUESTIONS - len(self._asked))
        self._asked += [now] * granted
        if granted == calls:
            return granted, 0.0
        return granted, (_WITHIN_US - (now - self._asked[0])) / MICROS_PER_SECOND

    async def candles(self, asks: Sequence[Ask]) -> Mapping[str, Reply]:
        return {ask.symbol: await self._candles(ask) for ask in asks}

    async def close(self) -> None:
        await self._link.close()

    def metrics(self) -> Iterator[tuple[MetricName, Iterable[Row]]]:
        """What has gone wrong on the wire."""
        lines = self._lines
        counts = {
            "connected": self._link.connected,
            "malformed": self._link.malformed,
            "resubscribed": 0 if lines is None else lines.resubscribed,
            "crossed": 0 if lines is None else lines.crossed,
            "refused": 0 if lines is None else len(lines.refused),
        }
        yield "tideline_ibkr", [((name,), float(count)) for name, count in counts.items()]

    @property
    def refused(self) -> Mapping[str, str]:
        """Symbols that TWS refuses, each with its reason."""
        return {} if self._lines is None else self._lines.refused

    async def _heard(self, lines: Lines, tws: Tws) -> list[FeedTick]:
        """The next prices; whoever is silent is subscribed anew."""
        if not self._link.is_current(tws):
            # A question of the past found it gone first: it knows nothing of what was followed.
            raise ProviderFault("connection", "the connection was made anew")
        try:
            ticks = await self._next(lines)
            lines.look(self._clock.now())
        except ConnectionError as error:
            await self._link.close()
            raise ProviderFault("connection", str(error)) from None
        return ticks

    async def _follow(self, lines: Lines, tws: Tws, name: str, symbol: str) -> None:
        """Subscribe to one symbol; one that TWS does not know stops no other."""
        try:
            contract = await self._contract(tws, name)
            lines.follow(symbol, spec(name), contract, self._clock.now())
        except (BadName, Refusal) as error:
            log.warning("symbol_refused", provider=NAME, symbol=symbol, reason=str(error))
        except (Lost, ConnectionError) as error:
            raise ProviderFault("connection", str(error)) from None

    async def _next(self, lines: Lines) -> list[FeedTick]:
        """What has been heard, waiting a little for it."""
        link = self._link
        link.woken.clear()
        if not link.heard:
            try:
                async with asyncio.timeout(_LOOK_S):
                    await link.woken.wait()
            except TimeoutError:
                return []
        ticks: list[FeedTick] = []
        now = self._clock.now()
        while link.heard:
            heard = link.heard.popleft()
            if isinstance(heard, Gone):
                await link.close()
                raise ProviderFault("connection", heard.reason)
            ticks += lines.take(heard, now)
        return ticks

    async def _candles(self, ask: Ask) -> Reply:
        tws = await self._link.open()
        try:
            contract = await self._contract(tws, ask.name)
            when = stretch(ask.timeframe, ask.since, ask.until)
            bars = await tws.past(contract, when, spec(ask.name).shows)
        except BadName as error:
            return Refused(str(error))
        except Refusal as error:
            meant = effect(error.code, error.text)
            if meant == "no_data":
                return Answer(())
            if meant == "busy":
                raise ProviderFault("limit", str(error), _BUSY_S) from None
            return Refused(str(error))
        except (Lost, ConnectionError) as error:
            raise ProviderFault("connection", str(error)) from None
        found = given(bars)
        return Answer(tuple(one for one in found if ask.since <= one.open_at < ask.until))

    async def _contract(self, tws: Tws, name: str) -> Any:
        """A name's contract, asked for once a connection."""
        key = (self._link.connected, name)
        if key not in self._contracts:
            found = await tws.lead(spec(name))
            self._contracts = {
                known: contract for known, contract in self._contracts.items() if known[0] == key[0]
            }
            self._contracts[key] = found
        return self._contracts[key]
