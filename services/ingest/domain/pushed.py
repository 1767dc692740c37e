"""A price that another program pushed, on its way to the writer of the spine."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.events.base import Event, Name, Price
from shared.events.candle import Volume
from shared.events.codec import register


@register
class Pushed(Event):
    """A price that another program gave; it becomes a tick once the spine's writer has taken it.

    ``size`` is 0 where none was given, ``n`` tells equal times of a symbol and source apart,
    ``pos`` is always 0.
    """

    TYPE: ClassVar[str] = "pushed"
    TOPIC: ClassVar[str] = "pushed"

    price: Price
    size: Volume
    source: Name
    n: Annotated[int, Field(ge=0)]
