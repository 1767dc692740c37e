"""Running one service as a process: ``python -m services.<name>``."""

import asyncio
import sys
from collections.abc import Callable

from shared.bus.log import BusError
from shared.service.frame import Service
from shared.service.settings import SettingsError, SettingsT
from shared.telemetry.logs import configure


def main(build_app: Callable[[SettingsT], Service], settings_type: type[SettingsT]) -> None:
    """Find the settings, build the service and run it; a known error is one line and exit 1."""
    try:
        settings = settings_type.load()
        configure(settings.log_level, settings.log_format)
        asyncio.run(_run(build_app, settings))
    except (SettingsError, BusError) as error:
        sys.exit(f"tideline: {error}")


async def _run(build_app: Callable[[SettingsT], Service], settings: SettingsT) -> None:
    await build_app(settings).run()
