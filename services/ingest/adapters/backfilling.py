"""Candles of the past from providers, made by the same machines as live ones, for the archive."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.ingest.adapters.feeds.live.provider import Provider
from services.ingest.domain.asking import Answer, Ask, ProviderFault, Refused, Reply
from services.ingest.domain.candles import CandlesStep
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import FeedCandle, FeedReached, Item
from services.ingest.domain.screening import Stretch, screen
from services.ingest.domain.sessions import SessionCalendar, Span
from services.ingest.domain.spine import SpineWriter
from shared.events import CandleClosed
from shared.market.instruments import Instrument
from shared.market.timeframes import Timeframe

_S = 1_000_000
# From the finest on: what a provider keeps no longer in minutes it may have in quarter hours.
_TIMEFRAMES: tuple[Timeframe, ...] = ("1m", "15m", "1h")
_TRIES = 3
_PAUSE_S = 2.0
_PAUSE_MAX_S = 65.0
_NEVER_S = 1e9


class Unfilled(Exception):
    """No provider gave candles; the message says of each why."""


class Filled(NamedTuple):
    """A session's candles of all timeframes, by the provider's; none where it had no trade."""

    span: Span
    candles: list[CandleClosed]
    source: str
    timeframe: Timeframe


class Backfilling:
    """One instrument's past, asked of the first of its providers that has it.

    ``retry_pause_s`` is how long a provider that failed is left alone, unless it says so itself.
    """

    def __init__(
        self,
        instrument: Instrument,
        providers: Sequence[Provider],
        now: int,
        retry_pause_s: float = _PAUSE_S,
    ) -> None:
        self._instrument = instrument
        self._providers = [one for one in providers if instrument.names.get(one.name)]
        self._calendar = SessionCalendar(instrument.session)
        self._now = now
        self._pause_s = retry_pause_s

    def sessions(self, since: int, until: int) -> list[Span]:
        """The whole sessions that have a part in the stretch and have begun."""
        return list(self._calendar.between(since, min(until, self._now)))

    async def fill(self, span: Span) -> Filled:
        """A session's candles; of one that is running those that are over.

        Raises:
            Unfilled: nobody has it.
        """
        reasons = []
        for provider in self._providers:
            try:
                timeframe, items = await self._asked(provider, span)
            except ProviderFault as fault:
                reasons.append(f"{provider.name}: {fault}")
            else:
                return Filled(span, self._made(span, items), provider.name, timeframe)
        told = "; ".join(reasons) or "no provider of its kind is set up and has a name for it"
        raise Unfilled(f"{self._instrument.symbol}: {told}")

    async def _asked(self, provider: Provider, span: Span) -> tuple[Timeframe, list[FeedCandle]]:
        until = min(span.end, self._now)
        timeframe = self._finest(provider, span)
        stretch_us = provider.reach[timeframe][1]
        items: list[FeedCandle] = []
        for since in range(span.open_at, until, stretch_us):
            end = min(until, since + stretch_us)
            name = self._instrument.names[provider.name]
            ask = Ask(self._instrument.symbol, name, timeframe, since, end)
            items += self._sound(provider, ask, await self._patiently(provider, ask))
        return timeframe, items

    def _finest(self, provider: Provider, span: Span) -> Timeframe:
        for timeframe in _TIMEFRAMES:
            if self._now - span.open_at <= provider.reach[timeframe][0]:
                return timeframe
        raise ProviderFault("http", f"keeps nothing from {span.day}")

    async def _patiently(self, provider: Provider, ask: Ask) -> Answer:
        """The answer, asked for again after a pause where the call failed."""
        for tried in range(1, _TRIES + 1):
            await self._room(provider)
            try:
                return _answer(await provider.candles([ask]), ask)
            except ProviderFault as fault:
                wait_s = self._pause_s if fault.retry_after_s is None else fault.retry_after_s
                if tried == _TRIES or fault.kind == "key" or wait_s > _PAUSE_MAX_S:
                    raise
                await asyncio.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    async def _room(self, provider: Provider) -> None:
        granted, wait_s = await provider.room(1, self._now)
        while not granted:
            if wait_s > _PAUSE_MAX_S:
                raise ProviderFault("limit", "its credits are used up")
            await asyncio.sleep(wait_s)
            self._now += int(wait_s * _S)
            granted, wait_s = await provider.room(1, self._now)

    def _sound(self, provider: Provider, ask: Ask, answer: Answer) -> list[FeedCandle]:
        stretch = Stretch(ask.timeframe, ask.since, ask.until, self._now)
        found = screen(answer.candles, stretch, self._calendar, self._now)
        return [
            FeedCandle(
                ask.symbol, ask.timeframe, given.open_at, end, *given[1:], provider.name, "backfill"
            )
            for given, end in found.candles
        ]

    def _made(self, span: Span, candles: Sequence[FeedCandle]) -> list[CandleClosed]:
        """All timeframes' candles that follow, as the spine's writer and the stage make them."""
        items: list[Item] = list(candles)
        if span.end <= self._now:
            grace_us = self._instrument.grace_ms * 1_000
            items.append(FeedReached(self._instrument.symbol, span.end + grace_us))
        spine = SpineWriter(InstrumentTable([self._instrument]), {}).process(items)
        made = CandlesStep({}).process(spine)
        return [one for one in made if isinstance(one, CandleClosed)]


def _answer(replies: Mapping[str, Reply], ask: Ask) -> Answer:
    reply = replies[ask.symbol]
    if isinstance(reply, Refused):
        raise ProviderFault("http", reply.reason, retry_after_s=_NEVER_S if reply.lasting else None)
    return reply
