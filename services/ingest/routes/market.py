"""The routes about prices, over the log and the settings alone."""

from fastapi import APIRouter

from services.ingest.adapters.feeds.push.inlet import Inlet
from services.ingest.adapters.feeds.push.parse import Book
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.routes.freshness import freshness_router
from services.ingest.routes.monitor import monitor_router
from services.ingest.routes.ticks import Door, ticks_router
from services.ingest.settings import IngestSection
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.clock import Clock


def market_router(
    section: IngestSection, table: InstrumentTable, log: RedisLog, clock: Clock
) -> APIRouter:
    """Pushed prices in; freshness and snapshots out."""
    reads = RedisReads(log.redis, log.keys)
    book = Book(table, section.push.aliases)
    router = APIRouter()
    inlet = Inlet(log.redis, log.keys)
    router.include_router(ticks_router(inlet, book, clock, _door(section)))
    router.include_router(freshness_router(reads, table, clock))
    router.include_router(monitor_router(reads, table, book, clock))
    return router


def _door(section: IngestSection) -> Door:
    """Prices are taken where the feed is what others push, or they come first for some kind."""
    if section.takes_pushed:
        return Door(section.push.batch_max)
    told = f"prices are not taken: TIDELINE_INGEST__FEED is {section.feed}; set it to push"
    return Door(section.push.batch_max, closed=told)
