"""What is asked of a provider, and what it answers: candles of a stretch of time."""

from typing import Literal, NamedTuple

from shared.market.timeframes import Timeframe

CallFault = Literal["timeout", "connection", "http", "limit", "key", "body"]
"""What can be wrong with a whole call: it counts against the provider and not against a symbol."""


class Ask(NamedTuple):
    """A provider's candles whose windows open in ``[since, until)``; ``name`` is its own name."""

    symbol: str
    name: str
    timeframe: Timeframe
    since: int
    until: int


class Given(NamedTuple):
    """A candle as a provider gave it, unchecked: it may still be forming, or make no sense."""

    open_at: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Answer(NamedTuple):
    """Candles in the provider's order, the newest market time it told, and rows without a price."""

    candles: tuple[Given, ...]
    market_at: int | None = None
    empty_rows: int = 0


class Refused(NamedTuple):
    """The provider says nothing of this symbol; of others it may.

    ``lasting`` where asking again soon would change nothing.
    """

    reason: str
    lasting: bool = True


Reply = Answer | Refused


class ProviderFault(Exception):
    """A whole call failed. ``retry_after_s`` is the provider's own word on when to come again."""

    def __init__(self, kind: CallFault, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.retry_after_s = retry_after_s
