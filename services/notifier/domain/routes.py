"""Routes: which signals go to which channels."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from fnmatch import fnmatchcase

from shared.events.signal import SignalGenerated

ANY = ("*",)


@dataclass(frozen=True, slots=True)
class Route:
    """Signals that match every one of the patterns go to all of the channels.

    A pattern is a name or holds ``*`` for any characters: ``EUR*``. ``configs`` are rule sets,
    ``actions`` touch, break and sweep.
    """

    channels: tuple[str, ...]
    configs: tuple[str, ...] = ANY
    symbols: tuple[str, ...] = ANY
    actions: tuple[str, ...] = ANY

    def takes(self, signal: SignalGenerated) -> bool:
        """Whether the signal goes this way."""
        return (
            _matches(signal.config, self.configs)
            and _matches(signal.symbol, self.symbols)
            and _matches(signal.action, self.actions)
        )


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes of a process. ``digest`` names exactly these routes."""

    routes: tuple[Route, ...]
    digest: str

    @classmethod
    def of(cls, routes: Sequence[Route]) -> "Routes":
        """These routes, in this order."""
        text = json.dumps([astuple(route) for route in routes])
        return cls(tuple(routes), hashlib.sha256(text.encode()).hexdigest()[:16])

    def channels(self, signal: SignalGenerated) -> tuple[str, ...]:
        """The channels of every route that takes the signal, each once, in the routes' order."""
        taken = (route.channels for route in self.routes if route.takes(signal))
        return tuple(dict.fromkeys(channel for channels in taken for channel in channels))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
