"""Which providers of the settings tell prices by themselves, laid over those that are asked."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from services.ingest.adapters.feeds.base import Feed
from services.ingest.adapters.feeds.live.engine import LiveEngine
from services.ingest.adapters.feeds.live.provider import Streamer
from services.ingest.adapters.feeds.push.feed import PushFeed
from services.ingest.adapters.feeds.ticks.overlaid import Overlaid, Ticks
from services.ingest.adapters.feeds.ticks.streams import Streams
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.sessions import SessionCalendar
from services.ingest.settings import IngestSection, ProviderName
from shared.clock import Clock
from shared.service.frame import Service
from shared.telemetry.metrics import SourceCollector

if TYPE_CHECKING:
    from services.ingest.adapters.feeds.ibkr.feed import Ibkr

_IBKR: ProviderName = "ibkr"
_PUSH: ProviderName = "push"
_YAHOO: ProviderName = "yfinance"
_YAHOO_STREAM: ProviderName = "yfinance_stream"


class Watched(Protocol):
    """The watched symbols."""

    @property
    def symbols(self) -> Sequence[str]:
        """What is watched now."""
        ...


class TickSources:
    """What tells prices of the kinds of instruments whose chains name it first.

    Nothing is laid over any but a live feed.
    """

    def __init__(
        self, section: IngestSection, table: InstrumentTable, service: Service, watched: Watched
    ) -> None:
        self._section = section
        self._table = table
        self._service = service
        self._watched = watched
        self._now = service.clock.now
        self._over: list[tuple[Ticks, Callable[[str], bool]]] = []

    async def joined(self, making: Awaitable[Feed]) -> Feed:
        """The feed once it is made; of a live one IBKR is asked for candles too."""
        feed = await making
        if isinstance(feed, LiveEngine):
            self._now = feed.now
            clock = _EngineClock(feed, self._service.clock)
            if _IBKR in self._section.sources.named():
                ibkr = _ibkr(self._section, self._table, self._service, clock)
                feed.add(ibkr)
                self._stream(ibkr, _IBKR, _IBKR)
            if self._is_first(_YAHOO_STREAM):
                from services.ingest.adapters.feeds.yfinance.stream import YfinanceStream

                yahoo = YfinanceStream(self._section.yfinance, feed.accounts, feed.now)
                self._stream(yahoo, _YAHOO_STREAM, _YAHOO)
            if self._is_first(_PUSH):
                push = PushFeed(self._service.log, self._table, clock)
                self._over.append((push, self._preferring(_PUSH)))
            feed.laid_over = lambda symbol: any(prefers(symbol) for _, prefers in self._over)
        return feed

    def over(self, base: Feed) -> Feed:
        """A partition's feed with all of them laid over it."""
        for ticks, prefers in self._over:
            base = Overlaid(base, ticks, self._now, prefers)
        return base

    def _stream(self, streamer: Streamer, source: ProviderName, named_by: ProviderName) -> None:
        """Follow a provider that chains name first, by the names of this one."""
        if not self._is_first(source):
            return
        prefers = self._preferring(source)

        def wanted() -> Mapping[str, str]:
            mine = [symbol for symbol in self._watched.symbols if prefers(symbol)]
            named = {symbol: self._table.get(symbol).names.get(named_by, "") for symbol in mine}
            return {name: symbol for symbol, name in named.items() if name}

        async def tell(detail: str) -> None:
            await self._service.announce("connection_status", detail)

        self._over.append((Streams(streamer, wanted, self._service.keys.partitions, tell), prefers))

    def _is_first(self, provider: ProviderName) -> bool:
        sources = self._section.sources
        chains = (getattr(sources, kind) for kind in type(sources).model_fields)
        return any(chain[:1] == (provider,) for chain in chains)

    def _preferring(self, provider: ProviderName) -> Callable[[str], bool]:
        def prefers(symbol: str) -> bool:
            found = self._table.find(symbol)
            return found is not None and self._section.sources.of(found.kind)[:1] == (provider,)

        return prefers


class _EngineClock:
    """The live feed's time, which may be a simulated day's."""

    def __init__(self, engine: LiveEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def now(self) -> int:
        return self._engine.now()

    def elapsed(self) -> float:
        return self._clock.elapsed()


def _ibkr(section: IngestSection, table: InstrumentTable, service: Service, clock: Clock) -> "Ibkr":
    # Imported where it is used: most installations have no TWS, and it takes a third of a second.
    from services.ingest.adapters.feeds.ibkr.feed import Ibkr
    from services.ingest.adapters.feeds.ibkr.ids import ClientIds

    calendars: dict[str, SessionCalendar] = {}

    def is_open(symbol: str, at: int) -> bool:
        if symbol not in calendars:
            calendars[symbol] = SessionCalendar(table.get(symbol).session)
        return calendars[symbol].at(at) is not None

    ids = ClientIds(service.redis, service.keys, *section.ibkr.client_ids)
    ibkr = Ibkr(section.ibkr, ids, clock, is_open)
    service.metrics.register(SourceCollector(ibkr.metrics))
    return ibkr
