"""What is heard on a connection to TWS, besides answers to questions."""

from typing import NamedTuple


class Trade(NamedTuple):
    """One trade of a followed contract."""

    request: int
    at_s: int
    price: float
    size: float


class Shown(NamedTuple):
    """One price that market data show."""

    request: int
    kind: int
    price: float
    size: float


class Stamp(NamedTuple):
    """Text of market data, such as the time of the last trade."""

    request: int
    kind: int
    text: str


class Delay(NamedTuple):
    """Whether a request's market data are late."""

    request: int
    is_delayed: bool


class Note(NamedTuple):
    """A message of TWS; ``request`` is -1 where it concerns no request."""

    request: int
    code: int
    text: str


class Packet(NamedTuple):
    """All of a packet has been said."""


class Gone(NamedTuple):
    """The connection has ended."""

    reason: str


Heard = Trade | Shown | Stamp | Delay | Note | Packet | Gone
