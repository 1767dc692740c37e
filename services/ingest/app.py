"""The wiring of the ingest service: the feed stage and the candles stage."""

from services.ingest.adapters.feeding import Feeding
from services.ingest.adapters.feeds.base import Feed, FeedError
from services.ingest.adapters.feeds.live.engine import LiveEngine
from services.ingest.adapters.feeds.push.wiring import listen
from services.ingest.adapters.feeds.ticks.wiring import TickSources
from services.ingest.adapters.freshness_wiring import WATCHED_FEEDS, watch_freshness
from services.ingest.adapters.holidays import observed
from services.ingest.adapters.recorder_wiring import record
from services.ingest.adapters.sources import Source, instruments
from services.ingest.adapters.sources import feed as feed_of
from services.ingest.adapters.watching_wiring import keep_watchlists
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
    service = Service("ingest", settings, clock)
    table = observed(instruments(section), section, service.clock.now())
    pressure = service.pressure("tick")
    watched = keep_watchlists(service, settings, table)
    ticks = TickSources(section, table, service, watched)
    source = Source(feed, lambda: ticks.joined(feed_of(section, table, service, watched)))

    async def write_spine(session: Session) -> None:
        chosen = await source.get()
        if isinstance(chosen, LiveEngine):
            chosen = ticks.over(chosen.part(session.partition, pressure.partitions))
        feeding = Feeding(chosen, table, section.symbols, pressure, finished)
        try:
            await feeding.run(session)
        except FeedError as error:
            raise SettingsError(str(error)) from None

    async def finished(partition: int) -> None:
        await service.announce("last_entry", f"the feed of partition {partition} has ended")

    async def ask_providers() -> None:
        engine = await source.get()
        assert isinstance(engine, LiveEngine), "made of the same settings"
        await engine.run()

    service.add_partition_task("feed", write_spine)
    if section.feed == "live":
        service.add_background("providers", ask_providers)
    if section.feed in WATCHED_FEEDS:
        watch_freshness(service, source, table, section)
    if section.takes_pushed:
        listen(service, section.push, table)
    candles = service.add_stage(CANDLES)
    if section.recorder:
        record(service, settings.archive, lambda: candles.partitions, section.recorder_every_s)
    serve(service, [build_web(settings, service.log, service.clock)])
    return service
