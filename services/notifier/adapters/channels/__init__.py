"""Channels: the ways by which an alert reaches a person, one file each."""

from typing import Protocol

from services.notifier.domain.delivery import Outcome
from services.notifier.domain.intents import AlertIntent


class Channel(Protocol):
    """One way out.

    ``send`` tries once and says what came of it: delivered, try again later, or never. It raises
    nothing that it can foresee, keeps no memory of what it sent, and ends by itself. The same
    intent may be sent again after a crash, always with the same ``intent.id``.
    """

    @property
    def name(self) -> str:
        """What routes and receipts call it."""
        ...

    async def send(self, intent: AlertIntent) -> Outcome:
        """Try once."""
        ...

    async def close(self) -> None:
        """Give back connections; nothing is sent afterwards."""
        ...
