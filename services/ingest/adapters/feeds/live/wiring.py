"""The live feed of the settings: its providers, what it watches, its clock."""

from typing import TYPE_CHECKING

from services.ingest.adapters.budgets import SharedBudget
from services.ingest.adapters.feeds.live.accounts import Accounts
from services.ingest.adapters.feeds.live.engine import NAME, LiveEngine, Watched
from services.ingest.adapters.feeds.pace import PacedClock, Paces
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.settings import IngestSection, TwelveDataSection
from shared.clock import Clock
from shared.events.base import micros
from shared.service.frame import Service
from shared.telemetry.metrics import SourceCollector

if TYPE_CHECKING:
    from services.ingest.adapters.feeds.twelvedata.feed import TwelveData


async def live_engine(
    section: IngestSection, table: InstrumentTable, watched: Watched, service: Service
) -> LiveEngine:
    """The engine with the providers that are named and have what they need."""
    clock, pace = await _clock(section, service)
    accounts = Accounts(service.announce)
    engine = LiveEngine(table, watched, section.sources.of, accounts, clock)
    engine.pace = pace
    named = section.sources.named()
    if "yfinance" in named:
        # Imported where they are used: transports take time to load, and memory.
        from services.ingest.adapters.feeds.yfinance.feed import Yfinance

        engine.add(Yfinance(section.yfinance))
    if "twelvedata" in named and section.twelvedata.key is not None:
        engine.add(_twelve_data(section.twelvedata, service, clock))
    service.metrics.register(SourceCollector(accounts.metrics))
    return engine


def _twelve_data(section: TwelveDataSection, service: Service, clock: Clock) -> "TwelveData":
    from services.ingest.adapters.feeds.twelvedata.feed import TwelveData

    limits = (section.credits_minute, section.credits_day)
    budget = SharedBudget(service.redis, service.keys, "twelvedata", *limits)
    return TwelveData(section, budget, clock)


async def _clock(section: IngestSection, service: Service) -> tuple[Clock, float]:
    """The service's clock, or one that simulates days, with its pace."""
    if section.start is None or not section.speed:
        return service.clock, 1.0
    start = micros(section.start)
    paces = Paces(service.redis, service.keys, service.clock)
    pace = await paces.of(f"{NAME}:{start}", start, section.speed)
    return PacedClock(pace, service.clock), pace.speed
