"""Alerts on their way: what is kept of them in the partition's state until they end."""

import json
from dataclasses import dataclass, replace

from services.notifier.domain.intents import AlertIntent
from shared.events.codec import Poison, decode_one


@dataclass(frozen=True, slots=True)
class Waiting:
    """An intent that was read and has no receipt yet.

    ``attempts`` counts the tries that ended, ``due_at`` is when the next may begin (microseconds
    UTC on the machine's clock), ``detail`` what the last one said.
    """

    intent: AlertIntent
    due_at: int
    attempts: int = 0
    detail: str = ""

    def tried(self) -> "Waiting":
        """The same after one more try."""
        return replace(self, attempts=self.attempts + 1)

    def postponed(self, due_at: int, detail: str) -> "Waiting":
        """The same, to be tried again then."""
        return replace(self, due_at=due_at, detail=detail)

    @property
    def field(self) -> str:
        """Its field in the state."""
        return f"@{self.intent.id}"

    def text(self) -> str:
        """Its text in the state."""
        fields = [str(value) for value in self.intent.wire()]
        return json.dumps([self.attempts, self.due_at, self.detail, fields], ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "Waiting | Poison":
        """What ``text()`` wrote; a Poison where this version cannot read it."""
        try:
            attempts, due_at, detail, fields = json.loads(text)
        except (ValueError, TypeError):
            return Poison((text,), "not the record of a waiting alert")
        intent = decode_one(fields)
        if isinstance(intent, Poison):
            return intent
        if not isinstance(intent, AlertIntent):
            return Poison(tuple(fields), f"{intent.id} is no alert intent")
        return cls(intent, due_at, attempts, detail)
