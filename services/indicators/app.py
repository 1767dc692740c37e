"""The wiring of the indicators service."""

from services.indicators.domain.defaults import recipes
from services.indicators.domain.stage import stage
from services.indicators.settings import IndicatorsSettings
from shared.clock import Clock
from shared.service.frame import Service


def build_app(settings: IndicatorsSettings, clock: Clock | None = None) -> Service:
    """The service: its one stage, with the recipes that the settings name."""
    service = Service("indicators", settings, clock)
    section = settings.indicators
    service.add_stage(stage(recipes(section.every, section.extra)))
    return service
