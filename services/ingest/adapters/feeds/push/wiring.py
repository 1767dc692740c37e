"""The listening on Redis channels within the service."""

from services.ingest.adapters.feeds.push.inlet import Inlet
from services.ingest.adapters.feeds.push.listener import Listener
from services.ingest.adapters.feeds.push.parse import Book
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.sections import PushSection
from shared.bus.connection import connect
from shared.service.frame import Service
from shared.telemetry.metrics import SourceCollector


def listen(service: Service, section: PushSection, table: InstrumentTable) -> None:
    """Let a service take what is published on the channels of its settings, if there are any."""
    if not section.channels:
        return
    url = service.settings.redis_url.get_secret_value()
    listener = Listener(
        lambda: connect(url),
        section.channels,
        Inlet(service.redis, service.keys),
        Book(table, section.aliases),
        service.clock,
    )

    async def tell(detail: str) -> None:
        await service.announce("connection_status", detail)

    service.add_background("push channels", lambda: listener.run(tell))
    service.metrics.register(SourceCollector(listener.metrics))
