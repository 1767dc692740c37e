"""What a reader outside was handed lately, so that a rewind hands nothing out again."""

from collections.abc import Sequence
from typing import TypeGuard

from shared.bus.log import order
from shared.events.base import Event
from shared.events.codec import Decoded
from shared.events.control import Watermark

# What is read again when entries were taken back: far more than an asynchronous replica lags.
REWIND_MS = 60_000
KEPT_MAX = 10_000
# However old: after an outage of minutes, what was lost is written again under much later ids.
_KEPT_MIN = 500


def rewound(place: str) -> str:
    """Where to read on from after a failover, for a reader that had come to this entry."""
    return f"{max(0, order(place)[0] - REWIND_MS)}-0"


class Handed:
    """Event ids of one partition's topic, for as long as a rewind goes back.

    Those of the newest 10,000 at most: where more is written in a minute, what lies before them
    comes once more.

    Ids tell events of one partition apart, not those of two: every partition has its heartbeats.
    """

    def __init__(self) -> None:
        self._written_ms: dict[str, int] = {}

    def fresh(self, found: Sequence[Decoded]) -> list[Decoded]:
        """What was not handed out before, each once; what has no id of its own always counts."""
        fresh: list[Decoded] = []
        seen: set[str] = set()
        for entry, event in found:
            if _has_id(event):
                if event.id in self._written_ms or event.id in seen:
                    continue
                seen.add(event.id)
            fresh.append((entry, event))
        return fresh

    def add(self, found: Sequence[Decoded]) -> None:
        """These were handed out, in order."""
        for entry, event in found:
            if _has_id(event):
                self._written_ms[event.id] = order(entry)[0]
        if found:
            since = order(found[-1][0])[0] - REWIND_MS
            self._forget(since)

    def _forget(self, since: int) -> None:
        kept = self._written_ms
        while len(kept) > _KEPT_MIN:
            if len(kept) <= KEPT_MAX and next(iter(kept.values())) >= since:
                break
            del kept[next(iter(kept))]


def _has_id(event: object) -> TypeGuard[Event]:
    return isinstance(event, Event) and not isinstance(event, Watermark)
