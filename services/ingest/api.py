"""The public routes of ingest, put together."""

from fastapi import APIRouter

from services.ingest.adapters.holidays import observed
from services.ingest.adapters.sources import instruments
from services.ingest.adapters.tables import store
from services.ingest.adapters.watchlists import Watchlists
from services.ingest.domain.lifetimes import unwatchable
from services.ingest.domain.watching import Budget
from services.ingest.routes.answers import Lookup
from services.ingest.routes.instruments import InstrumentsApi
from services.ingest.routes.market import market_router
from services.ingest.routes.watchlists import WatchlistsApi, watched_router
from services.ingest.settings import IngestSettings
from shared.bus.redis_log import RedisLog
from shared.clock import Clock
from shared.service.web import Web


def build_web(settings: IngestSettings, log: RedisLog, clock: Clock) -> Web:
    """The routes, over the log and the tables of the settings.

    Raises:
        SettingsError: the instrument file, a symbol or ``DATABASE_URL`` is wrong.
        StoreError: the data directory cannot be made.
    """
    section = settings.ingest
    table = observed(instruments(section), section, clock.now())
    tables = store(settings)
    watchlists = Watchlists(tables, clock)
    lookup = Lookup(table, clock)
    budget = Budget(section.watchlists.symbols_max, section.watchlists.default)
    router = APIRouter()
    WatchlistsApi(watchlists, lookup).mount(router)
    InstrumentsApi(lookup, watchlists, clock).mount(router)
    router.include_router(watched_router(watchlists, budget, unwatchable(table, clock.now), clock))
    router.include_router(market_router(section, table, log, clock))
    return Web(router, tables.kept)
