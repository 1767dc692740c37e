"""The intake stage: from a signal to the intents of sending it, once per channel."""

import hashlib
import json
from collections.abc import Sequence

from services.notifier.domain.intents import AlertIntent
from services.notifier.domain.routes import Routes
from shared.bus.step import StageSpec, State
from shared.events.base import Event
from shared.events.signal import SignalGenerated

REMEMBERED = 64
"""How many signals a symbol's state remembers, to know a second one of the same id."""


def intake_stage(routes: Routes, *, simulated: bool = False) -> StageSpec:
    """The stage ``notifier``: reads signals, writes intents; ``simulated`` marks all of them."""
    return StageSpec(
        name="notifier",
        primary="signal_generated",
        output="alert_intent",
        restore=lambda state: Intake(routes, state, simulated=simulated),
    )


class Intake:
    """Decides route and suppression of one partition's signals.

    State, per symbol: ``{"seen": [digests of the last signal ids], "suppressed": count}``.
    """

    def __init__(self, routes: Routes, state: State, *, simulated: bool = False) -> None:
        self._routes = routes
        self._simulated = simulated
        self._symbols = {symbol: _Memory.parse(text) for symbol, text in state.items()}
        self._dirty: set[str] = set()

    def process(self, events: Sequence[Event]) -> list[Event]:
        """One intent per signal and channel; none for a signal that was seen already.

        Raises:
            ValueError: an event is no signal, or its id is too long to be told.
        """
        return [intent for event in events for intent in self._decide(event)]

    def changes(self) -> dict[str, str]:
        dirty, self._dirty = self._dirty, set()
        return {symbol: self._symbols[symbol].text() for symbol in sorted(dirty)}

    def _decide(self, event: Event) -> list[AlertIntent]:
        if not isinstance(event, SignalGenerated):
            raise ValueError(f"{event.id} is no signal")
        intents = [
            AlertIntent.of(event, channel, routes=self._routes.digest, simulated=self._simulated)
            for channel in self._routes.channels(event)
        ]
        memory = self._symbols.setdefault(event.symbol, _Memory([], 0))
        self._dirty.add(event.symbol)
        return intents if memory.is_new(event.id) else []


class _Memory:
    """The last signals of one symbol."""

    def __init__(self, seen: list[str], suppressed: int) -> None:
        self._seen = seen
        self._suppressed = suppressed

    @classmethod
    def parse(cls, text: str) -> "_Memory":
        fields = json.loads(text)
        return cls(list(fields["seen"]), int(fields["suppressed"]))

    def text(self) -> str:
        return json.dumps({"seen": self._seen, "suppressed": self._suppressed})

    def is_new(self, signal_id: str) -> bool:
        """Remember a signal; False where it is remembered already."""
        digest = hashlib.sha256(signal_id.encode()).hexdigest()[:12]
        if digest in self._seen:
            self._suppressed += 1
            return False
        self._seen = [*self._seen, digest][-REMEMBERED:]
        return True
