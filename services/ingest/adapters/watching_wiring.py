"""Watchlists within the service: what is watched, the news of changes, the outbox."""

from services.ingest.adapters.news import News
from services.ingest.adapters.tables import OUTBOX, store
from services.ingest.adapters.watched import FixedSet, Watched, WatchedByUsers
from services.ingest.adapters.watchlists import CHANGED, Watchlists
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.lifetimes import unwatchable
from services.ingest.domain.watching import Budget
from services.ingest.settings import IngestSettings
from shared.service.frame import Service
from shared.store.outbox import Outbox, Relay
from shared.store.replicas import Replicas


def keep_watchlists(service: Service, settings: IngestSettings, table: InstrumentTable) -> Watched:
    """Let a service tell of changed watchlists; what a live feed has to follow.

    Symbols that the settings name are followed whatever the watchlists say.

    Raises:
        SettingsError: ``DATABASE_URL`` is no address of a PostgreSQL.
        StoreError: the data directory cannot be made.
    """
    section, clock = settings.ingest, service.clock
    tables = store(settings)
    news = News(service.redis, service.keys)
    relay = Relay(tables, Outbox(OUTBOX, clock), {CHANGED: news.send})

    async def tell() -> None:
        try:
            await relay.run()
        finally:
            await tables.close()

    service.add_background("outbox", tell)
    service.add_background("replicas", Replicas(tables, service.log, "feed").watch)
    if section.feed != "live" or section.symbols:
        return FixedSet(section.symbols)

    async def announce(detail: str) -> None:
        await service.announce("fallback", detail)

    budget = Budget(section.watchlists.symbols_max, section.watchlists.default)
    problem = unwatchable(table, clock.now)
    # Each task closes what it uses.
    looked_at = store(settings)
    watched = WatchedByUsers(
        Watchlists(looked_at, clock).counts, budget, problem, announce, news.hear
    )

    async def watch() -> None:
        try:
            await watched.run()
        finally:
            await looked_at.close()

    service.add_background("watchlists", watch)
    return watched
