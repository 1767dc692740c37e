"""What a feed says, before it stands on a spine: prices, candles, the time, and what went wrong.

Times are µs since 1970, UTC. Nothing here is validated: the writer of the spine decides what it
takes, and says why it takes the rest not.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from shared.events.candle import Origin
from shared.market.timeframes import Timeframe


class FeedTick(NamedTuple):
    """One price; ``size`` is 0 where the provider gives none."""

    symbol: str
    at: int
    price: float
    size: float
    source: str


class FeedCandle(NamedTuple):
    """A provider's candle of ``[open_at, at)``: a whole window of its timeframe."""

    symbol: str
    timeframe: Timeframe
    open_at: int
    at: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    source: str
    origin: Origin


class FeedTime(NamedTuple):
    """The market's time has reached ``at``: every item before it has been handed over."""

    at: int


class FeedReached(NamedTuple):
    """Every item of this symbol before ``at`` has been handed over: its windows may close.

    What a live feed says instead of ``FeedTime``, because it knows for each symbol apart how far
    its provider has told; while that is silent the windows wait, and a fill still finds them open.
    Of the symbol ``*`` it is the time alone, and no window closes.
    """

    symbol: str
    at: int


class FeedSource(NamedTuple):
    """From ``at`` on ``source`` gives the symbol's prices, so many milliseconds late."""

    symbol: str
    at: int
    source: str
    delay_ms: float


class FeedGap(NamedTuple):
    """The symbol's prices between ``since`` and ``at`` are lost for good."""

    symbol: str
    at: int
    since: int
    reason: str


class FeedRejected(NamedTuple):
    """Something that is no item: the reason, and the raw fields, name and value by turns.

    The symbol is ``*`` where it names no instrument; ``at`` is then, or where there is no time in
    it, the time of the item before it.
    """

    symbol: str
    at: int
    reason: str
    raw: tuple[str, ...]


class FeedTaken(NamedTuple):
    """All of a log's topic up to this entry has been handed over, ``entries`` since the last.

    It is committed as the topic's offset with what stands before it. A feed that is started again
    finds it among the cursors, under ``@topic``, as the two numbers of the entry's id. The symbol
    is ``*``, ``at`` the time at which the feed came to it.
    """

    symbol: str
    at: int
    topic: Literal["pushed"]
    entry: str
    entries: int


Item = (
    FeedTick | FeedCandle | FeedTime | FeedSource | FeedGap | FeedRejected | FeedTaken | FeedReached
)


class Cursor(NamedTuple):
    """How far a symbol's items have been handed over, rejected ones included.

    The latest time among them, and how many came since the first item of that time: so each item
    has a cursor of its own, and a feed that starts again knows exactly where.
    """

    at: int
    n: int

    def after(self, at: int) -> "Cursor":
        """The cursor once an item of this time has been handed over too."""
        return Cursor(at, 1) if at > self.at else Cursor(self.at, self.n + 1)


START = Cursor(-1, 0)
# Among the cursors, but no symbol's: its time is the number of the partition that is fed.
HERE = "@partition"
Cursors = Mapping[str, Cursor]


class Resume:
    """Tells a feed that repeats itself what the writer has already.

    The feed asks for each item in its order. It may begin anywhere, if it begins at or before the
    first item of the time in the symbol's cursor.
    """

    def __init__(self, cursors: Cursors) -> None:
        self._taken = {symbol: cursor for symbol, cursor in cursors.items() if cursor != START}
        self._seen: dict[str, Cursor] = {}

    def is_new(self, symbol: str, at: int) -> bool:
        """Whether the writer has not had this item yet."""
        taken = self._taken.get(symbol)
        if taken is None:
            return True
        seen = self._seen[symbol] = self._seen.get(symbol, START).after(at)
        if seen < taken:
            return False
        # Reached: from here on there is nothing to compare.
        del self._taken[symbol]
        return seen > taken

    def since(self, symbol: str) -> int | None:
        """The time from which the symbol's items are needed; None: all of them."""
        taken = self._taken.get(symbol)
        return None if taken is None else taken.at
