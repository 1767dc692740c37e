"""The wiring of the indicators service."""

import asyncio
import gc

from services.indicators.domain.defaults import recipes
from services.indicators.domain.stage import stage
from services.indicators.settings import IndicatorsSettings
from shared.clock import Clock
from shared.service.frame import Service

_SETTLE_S = 30.0


def build_app(settings: IndicatorsSettings, clock: Clock | None = None) -> Service:
    """The service: its one stage, with the recipes that the settings name."""
    service = Service("indicators", settings, clock)
    section = settings.indicators
    service.add_stage(stage(recipes(section.every, section.extra)))
    service.add_background("settle", settle)
    return service


async def settle() -> None:
    """Keep the garbage collector's hands off what has lasted."""
    while True:
        calm_collector()
        await asyncio.sleep(_SETTLE_S)


def calm_collector() -> None:
    """Let the collector look at new objects only, and seldom.

    Boards live as long as the process and hold no cycles, but walking over those of thousands of
    symbols would cost a second, in the middle of a close.
    """
    gc.set_threshold(50_000, 20, 20)
    gc.freeze()
