"""What left the house: receipts of alerts."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.events.base import Event, Micros, Name

AlertStatus = Literal["delivered", "failed"]


class AlertFired(Event):
    """The receipt of one alert on one channel, with the outside world's clock in ``fired_at``.

    ``at`` and ``pos`` are the signal's, ``signal`` its id. ``failed`` means given up for good, with
    the last error in ``detail``; with no ``attempts`` where it was never even tried.
    """

    TYPE: ClassVar[str] = "alert_fired"
    TOPIC: ClassVar[str] = "alert_fired"

    channel: Name
    signal: Name
    status: AlertStatus
    attempts: Annotated[int, Field(ge=0)]
    text: Annotated[str, Field(max_length=1000)]
    detail: Annotated[str, Field(max_length=1000)]
    fired_at: Micros
    cause: Name

    @property
    def id(self) -> str:
        return f"{self.TYPE}:{self.channel}:{self.signal}"
