"""The wiring of the indicators service."""

from services.indicators.adapters.desk import Desk
from services.indicators.adapters.past import Past
from services.indicators.adapters.subscriptions import MIGRATIONS, Subscriptions
from services.indicators.api import SERVICE, build_web
from services.indicators.domain.defaults import recipes
from services.indicators.domain.stage import stage
from services.indicators.settings import IndicatorsSettings
from shared.clock import Clock
from shared.service.frame import Service
from shared.service.web import serve
from shared.store.replicas import Replicas
from shared.store.store import Store


def build_app(settings: IndicatorsSettings, clock: Clock | None = None) -> Service:
    """The service: its one stage, with the recipes that the settings name and users subscribe.

    Raises:
        SettingsError: a port is taken, or ``DATABASE_URL`` is no PostgreSQL.
    """
    service = Service(SERVICE, settings, clock)
    section = settings.indicators
    everybody = recipes(section.every, section.extra)
    service.add_stage(stage(everybody))
    store = Store(SERVICE, settings, MIGRATIONS)
    subscriptions = Subscriptions(store, service.clock, section.subscriptions_max)
    desk = Desk(Past(service.log, settings.archive), service.clock, subscriptions, everybody)

    async def look_after_subscriptions() -> None:
        try:
            await desk.run()
        finally:
            await store.close()

    service.add_background("subscriptions", look_after_subscriptions)
    service.add_background("replicas", Replicas(store, service.log, "indicators").watch)
    serve(service, [build_web(settings, service.log, service.clock)])
    return service
