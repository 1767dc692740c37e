"""Running one service as a process: ``python -m services.<name>``."""

import asyncio
import importlib
import sys
import traceback
from collections.abc import Callable
from importlib.util import find_spec

from shared.bus.log import BusError
from shared.service.collector import keep_calm
from shared.service.frame import Service
from shared.service.settings import SettingsError, SettingsT
from shared.telemetry.logs import configure

_OURS = ("services", "shared")


def main(build_app: Callable[[SettingsT], Service], settings_type: type[SettingsT]) -> None:
    """Find the settings, build the service and run it; whatever ends it is one line.

    Exit code 2 where a setting is wrong, for starting again cannot mend that; 1 for all else.
    LOG_LEVEL=debug shows the traceback of what nobody foresaw.
    """
    level = "info"
    try:
        settings = settings_type.load()
        level = settings.log_level
        configure(settings.log_level, settings.log_format)
        with asyncio.Runner(loop_factory=event_loop()) as runner:
            runner.run(_run(build_app, settings))
    except (SettingsError, BusError) as error:
        sys.stderr.write(f"tideline: {error}\n")
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except Exception as error:  # noqa: BLE001 the last place where it can be told in one line
        if level == "debug":
            traceback.print_exception(error)
        sys.stderr.write(f"tideline: {_told(error)}\n")
        sys.exit(1)


def _told(error: Exception) -> str:
    """In one line: our own errors speak for themselves, others need their name."""
    text = " ".join(str(error).split())
    if type(error).__module__.partition(".")[0] in _OURS:
        return text
    return f"{type(error).__name__}: {text} (LOG_LEVEL=debug shows the traceback)"


def event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the quicker event loop, where it is installed; None: asyncio's own."""
    if find_spec("uvloop") is None:
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return make


async def _run(build_app: Callable[[SettingsT], Service], settings: SettingsT) -> None:
    service = build_app(settings)
    # The collector is the process's, and the process is this service's alone.
    service.add_background("collector", keep_calm)
    await service.run()
