"""Which providers of the settings tell prices by themselves, laid over those that are asked."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from services.ingest.adapters.feeds.base import Feed
from services.ingest.adapters.feeds.push.feed import PushFeed
from services.ingest.adapters.feeds.ticks.overlaid import Overlaid, Ticks
from services.ingest.adapters.feeds.ticks.streams import Streams, Tell
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.sessions import SessionCalendar
from services.ingest.settings import IngestSection, ProviderName
from shared.service.frame import Service
from shared.telemetry.metrics import SourceCollector

if TYPE_CHECKING:
    from services.ingest.adapters.feeds.ibkr.feed import Ibkr

_IBKR: ProviderName = "ibkr"
_PUSH: ProviderName = "push"


class Watched(Protocol):
    """The watched symbols."""

    @property
    def symbols(self) -> Sequence[str]:
        """What is watched now."""
        ...


class TickSources:
    """What tells prices of the kinds of instruments whose chains name it first.

    ``ibkr`` is None where no chain names it; it can also be asked for candles.
    """

    def __init__(
        self, section: IngestSection, table: InstrumentTable, service: Service, watched: Watched
    ) -> None:
        self.ibkr = _ibkr(section, table, service) if _IBKR in section.sources.named() else None
        self._section = section
        self._table = table
        self._clock = service.clock
        self._over: list[tuple[Ticks, Callable[[str], bool]]] = []
        if self.ibkr is not None and self._is_first(_IBKR):
            wanted = self._wanted(watched)
            tell = _teller(service)
            streams = Streams(self.ibkr, wanted, service.keys.partitions, tell)
            self._over.append((streams, self._preferring(_IBKR)))
        if self._is_first(_PUSH):
            push = PushFeed(service.log, table, service.clock)
            self._over.append((push, self._preferring(_PUSH)))

    def over(self, base: Feed) -> Feed:
        """A partition's feed with all of them laid over it."""
        for ticks, prefers in self._over:
            base = Overlaid(base, ticks, self._clock, prefers)
        return base

    def _is_first(self, provider: ProviderName) -> bool:
        sources = self._section.sources
        chains = (getattr(sources, kind) for kind in type(sources).model_fields)
        return any(chain[:1] == (provider,) for chain in chains)

    def _preferring(self, provider: ProviderName) -> Callable[[str], bool]:
        def prefers(symbol: str) -> bool:
            found = self._table.find(symbol)
            return found is not None and self._section.sources.of(found.kind)[:1] == (provider,)

        return prefers

    def _wanted(self, watched: Watched) -> Callable[[], Mapping[str, str]]:
        prefers = self._preferring(_IBKR)

        def wanted() -> Mapping[str, str]:
            mine = [symbol for symbol in watched.symbols if prefers(symbol)]
            named = {symbol: self._table.get(symbol).names.get(_IBKR, "") for symbol in mine}
            return {name: symbol for symbol, name in named.items() if name}

        return wanted


def _ibkr(section: IngestSection, table: InstrumentTable, service: Service) -> "Ibkr":
    # Imported where it is used: most installations have no TWS, and it takes a third of a second.
    from services.ingest.adapters.feeds.ibkr.feed import Ibkr
    from services.ingest.adapters.feeds.ibkr.ids import ClientIds

    calendars: dict[str, SessionCalendar] = {}

    def is_open(symbol: str, at: int) -> bool:
        if symbol not in calendars:
            calendars[symbol] = SessionCalendar(table.get(symbol).session)
        return calendars[symbol].at(at) is not None

    ids = ClientIds(service.redis, service.keys, *section.ibkr.client_ids)
    ibkr = Ibkr(section.ibkr, ids, service.clock, is_open)
    service.metrics.register(SourceCollector(ibkr.metrics))
    return ibkr


def _teller(service: Service) -> Tell:
    async def tell(detail: str) -> None:
        await service.announce("connection_status", detail)

    return tell
