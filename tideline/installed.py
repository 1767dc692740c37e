"""Which services' code this installation has: all of them, or in an image that of one."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from tideline.trouble import Trouble, listed

SERVICES = ("ingest", "indicators", "signals", "notifier", "charts")
# Services whose own event types are on the log, and where these are declared.
_EVENTS_OF = {
    "ingest": "services.ingest.domain.pushed",
    "notifier": "services.notifier.domain.intents",
}


@cache
def installed() -> tuple[str, ...]:
    """The services that are here."""
    return tuple(name for name in SERVICES if _is_here(name))


def absent() -> tuple[str, ...]:
    """The services that are not."""
    return tuple(name for name in SERVICES if name not in installed())


def insist(names: Iterable[str], purpose: str) -> None:
    """Refuse to do something without the services that it takes.

    Raises:
        Trouble: one of them is not here.
    """
    missing = [name for name in names if name in absent()]
    if missing:
        raise Trouble(f"{purpose} needs {listed(missing)}, and this installation has {_only()}")


def told() -> str:
    """What is here, for people."""
    return _only() if absent() else f"all of {listed(SERVICES)}"


def know_events() -> None:
    """Make every event type decodable that the services here declare."""
    for service, module in _EVENTS_OF.items():
        if service in installed():
            import_module(module)


def _only() -> str:
    return f"only {listed(installed())}" if installed() else "no service at all"


def _is_here(name: str) -> bool:
    try:
        return find_spec(f"services.{name}.settings") is not None
    except ModuleNotFoundError:
        return False
