"""The wiring of the ingest service: the feed stage and the candles stage."""

from services.ingest.adapters.feeding import Feeding
from services.ingest.adapters.feeds.base import Feed, FeedError
from services.ingest.adapters.feeds.push.wiring import listen
from services.ingest.adapters.freshness_wiring import WATCHED_FEEDS, watch_freshness
from services.ingest.adapters.recorder_wiring import record
from services.ingest.adapters.sources import Source, instruments
from services.ingest.adapters.sources import feed as feed_of
from services.ingest.api import build_web
from services.ingest.domain.candles import CANDLES
from services.ingest.settings import IngestSettings
from shared.bus.session import Session
from shared.clock import Clock
from shared.service.frame import Service
from shared.service.settings import SettingsError
from shared.service.web import serve


def build_app(
    settings: IngestSettings, clock: Clock | None = None, feed: Feed | None = None
) -> Service:
    """The service over the feed of its settings, or over this one.

    Raises:
        SettingsError: the instrument file or a symbol is wrong, or a port taken.
    """
    section = settings.ingest
    table = instruments(section)
    service = Service("ingest", settings, clock)
    pressure = service.pressure("tick")
    source = Source(feed, lambda: feed_of(section, table, service))

    async def write_spine(session: Session) -> None:
        chosen = await source.get()
        feeding = Feeding(chosen, table, section.symbols, pressure, finished)
        try:
            await feeding.run(session)
        except FeedError as error:
            raise SettingsError(str(error)) from None

    async def finished(partition: int) -> None:
        await service.announce("last_entry", f"the feed of partition {partition} has ended")

    service.add_partition_task("feed", write_spine)
    if section.feed in WATCHED_FEEDS:
        watch_freshness(service, source, table, section)
    if section.feed == "push":
        listen(service, section.push, table)
    candles = service.add_stage(CANDLES)
    if section.recorder:
        record(service, settings.archive, lambda: candles.partitions, section.recorder_every_s)
    serve(service, [build_web(settings, service.log, service.clock)])
    return service
