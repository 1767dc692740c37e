"""Patterns that are decided on the closes of candles, against the levels that stood before them."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from services.signals.domain.book import ActiveRule
from services.signals.domain.conditions import AtClose
from services.signals.domain.moves import Move, Spot, Timing
from services.signals.domain.ontick import Told
from services.signals.domain.posts import Former, Levels, Placed, Post, knowledge, man_posts
from services.signals.domain.ranges import Ranges
from services.signals.domain.sweeping import Sweeping
from shared.events import Candle, Close, LevelComputed
from shared.events.candle import Origin
from shared.market.timeframes import TIMEFRAMES, Timeframe


class Closed(NamedTuple):
    """What is kept of a timeframe's last candle."""

    pos: int
    origin: Origin
    open: float
    high: float
    low: float
    close: float


class OnClose:
    """The posts of rules that are decided on closes, and the candles that they are decided on.

    A level that a close breaks is gone from the reading of that very candle; so the posts stand
    where the levels were before, until the close has been decided on. What cuts the way of the
    price is remembered for each timeframe until its own next candle.
    """

    __slots__ = ("_before", "_candles", "_count", "_cut", "_posts", "_stale", "paces")

    def __init__(self) -> None:
        self.paces: frozenset[Timeframe] = frozenset()
        self._posts: list[Post] = []
        self._candles: dict[Timeframe, Closed] = {}
        self._before: dict[Timeframe, float] = {}
        self._count: dict[Timeframe, int] = {}
        self._cut: set[Timeframe] = set()
        self._stale = True

    def set_rules(self, rules: Iterable[ActiveRule]) -> None:
        """The rules from here on, of which those count that are decided on closes."""
        mine = {rule.label: pace for rule in rules if (pace := pace_of(rule)) is not None}
        self.paces = frozenset(mine.values())
        # A close that nobody has followed since is not where the price came from.
        for kept in (self._candles, self._before, self._count):
            for timeframe in kept.keys() - self.paces:
                del kept[timeframe]
        self._posts = [post for post in self._posts if post.active.label in mine]
        self._stale = True

    def read(self, computed: LevelComputed) -> bool:
        """Take a timeframe's candle in; whether a rule is decided on it."""
        self._stale = True
        if computed.timeframe not in self.paces:
            return False
        self._candles[computed.timeframe] = _kept(computed.pos, computed.origin, computed.candle)
        return True

    def cut(self) -> None:
        """Prices were lost, or a session is over: the next move is one over a cut."""
        self._cut = set(TIMEFRAMES)

    def decide(self, close: Close, timing: Timing) -> Iterator[Told]:
        """What the posts recognise in the candles that this close ends."""
        for window in close.windows:
            candle = self._candles.get(window.timeframe)
            if candle is None or candle.pos != close.pos:
                continue
            before = self._before.get(window.timeframe)
            cut = window.timeframe in self._cut
            self._cut.discard(window.timeframe)
            self._before[window.timeframe] = candle.close
            self._count[window.timeframe] = self._count.get(window.timeframe, 0) + 1
            if before is None or candle.origin != "live":
                continue
            move = Move(
                before=before,
                price=candle.close,
                at=close.at,
                count=self._count[window.timeframe],
                cut=cut,
                opened=candle.open,
                timing=timing,
            )
            yield from self._ask(window.timeframe, candle, move)

    def man(self, rules: Iterable[ActiveRule], levels: Levels, tick_size: float) -> None:
        """Let the posts stand where the levels are now, if anything has changed."""
        if self._stale:
            mine = [rule for rule in rules if pace_of(rule) is not None]
            self._posts = man_posts(mine, levels, tick_size, knowledge(self._posts))
            self._stale = False

    def save(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "candles": self._candles,
            "before": self._before,
            "count": self._count,
            "cut": sorted(self._cut),
            "stale": self._stale,
            "posts": [
                [
                    post.active.label,
                    post.timeframe,
                    post.level,
                    post.pattern.save(),
                    post.active.atr,
                ]
                for post in self._posts
            ],
        }

    def load(self, saved: dict[str, Any], ranges: Ranges, tick_size: float) -> None:
        """Go on from what ``save`` gave, each rule measured with the range that it had then."""
        self._candles = {frame: Closed(*row) for frame, row in saved["candles"].items()}
        self._before = saved["before"]
        self._count = saved["count"]
        self._cut = set(saved["cut"])
        self._posts = []
        for label, timeframe, row, state, atr in saved["posts"]:
            rule = ranges.as_measured(label, atr, tick_size)
            if rule is not None:
                level = Placed(*row)
                place = f"{timeframe}.{level.ref}"
                former: Former = {(label, place): (Spot(level.price, tick_size), state)}
                self._posts += man_posts([rule], {timeframe: (level,)}, tick_size, former)
        self._stale = saved["stale"]

    def _ask(self, pace: Timeframe, candle: Closed, move: Move) -> Iterator[Told]:
        for post in self._posts:
            if pace_of(post.active) != pace:
                continue
            if isinstance(post.pattern, Sweeping):
                post.pattern.reach(candle.low, candle.high, move)
            hit = post.pattern.take(move)
            if hit is not None:
                yield Told(post, hit, move)


def pace_of(active: ActiveRule) -> Timeframe | None:
    """The timeframe on whose closes a pattern is decided, None for every price."""
    when = active.rule.when
    if isinstance(when, AtClose) or when.on == "tick":
        return None
    return when.on


def _kept(pos: int, origin: Origin, candle: Candle) -> Closed:
    return Closed(pos, origin, candle.open, candle.high, candle.low, candle.close)
