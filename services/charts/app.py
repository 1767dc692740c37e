"""The only wiring of charts."""

from collections.abc import Callable, Sequence

from services.charts.adapters.feeding import follow, watch, watch_data
from services.charts.adapters.hub import Hub, Limits
from services.charts.adapters.log_reader import LogReader, Reader
from services.charts.adapters.site import Site
from services.charts.api import build_web
from services.charts.domain.book import Book, Capacity
from services.charts.settings import ChartsSection, ChartsSettings
from shared.clock import Clock
from shared.service.frame import Service
from shared.service.web import Web, serve


def build_app(
    settings: ChartsSettings,
    reader: Reader | None = None,
    beside: Callable[[Service], Sequence[Web]] = lambda _: (),
) -> Service:
    """The charts service, reading its own log unless another reader is given.

    ``beside`` makes the routes of other services that the same port is to serve.
    """
    service = Service("charts", settings)
    source = LogReader(service.log, service.reads) if reader is None else reader
    hub = build_hub(settings.charts, service.clock)
    serve(service, [build_web(hub, Site(), settings.charts.ping_s), *beside(service)])
    service.add_background("read the log", lambda: follow(source, hub))
    service.add_background("look at data", lambda: watch_data(source, hub, service.clock))
    service.add_background(
        "look at views", lambda: watch(source, hub, settings.charts.views_period_ms / 1000)
    )
    return service


def build_hub(section: ChartsSection, clock: Clock) -> Hub:
    """An empty book and the fan-out over it."""
    capacity = Capacity(section.candles_kept, section.signals_kept, section.alerts_kept)
    limits = Limits(section.clients_max, section.waiting_max, section.snapshot_candles)
    return Hub(Book(capacity), limits, clock)
