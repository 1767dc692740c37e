"""The watch on freshness within the service: whose symbols, in which time, told to whom."""

from collections.abc import Sequence

from services.ingest.adapters.feeds.base import FeedError
from services.ingest.adapters.feeds.demo.feed import DemoFeed
from services.ingest.adapters.feeds.live.engine import LiveEngine
from services.ingest.adapters.freshness import Freshness, Shown
from services.ingest.adapters.sources import Source
from services.ingest.domain.freshness import Rule
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.settings import IngestSection
from shared.events.base import MICROS_PER_SECOND
from shared.service.frame import Service
from shared.service.settings import SettingsError
from shared.telemetry.metrics import SourceCollector

# A recording has an end and no present, and without a feed nothing can be missed.
WATCHED_FEEDS: tuple[str, ...] = ("demo", "live", "push")


def watch_freshness(
    service: Service, source: Source, table: InstrumentTable, section: IngestSection
) -> None:
    """Let a service watch the symbols of its feed, in the partitions that it owns."""
    freshness = Freshness(
        Shown(service.redis, service.keys),
        table,
        service.clock,
        service.announce,
        Rule(round(section.stale_after_s * MICROS_PER_SECOND)),
    )

    def owned() -> Sequence[int]:
        return [
            partition
            for worker in service.upkeep.workers
            if worker.progress.stage == "feed"
            for partition in sorted(worker.partitions)
        ]

    async def watch() -> None:
        try:
            feed = await source.get()
        except FeedError as error:
            raise SettingsError(str(error)) from None

        async def symbols() -> Sequence[str]:
            # Of what is pushed nobody knows beforehand what it will be.
            pushed = section.feed == "push"
            given = await (service.reads.viewed("candles") if pushed else feed.symbols())
            return [one for one in given if not section.symbols or one in section.symbols]

        # A simulated market has a time of its own.
        now = feed.now if isinstance(feed, DemoFeed | LiveEngine) else service.clock.now
        await freshness.run(owned, symbols, now)

    service.add_background("freshness", watch)
    service.metrics.register(SourceCollector(freshness.metrics))
