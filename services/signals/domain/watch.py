"""One symbol under watch: its levels, its posts, and a short way for prices without effect."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import orjson

from services.signals.domain.book import ActiveRule
from services.signals.domain.closes import CandleRules
from services.signals.domain.moves import Move, Spot
from services.signals.domain.paths import path
from services.signals.domain.posts import (
    Former,
    Levels,
    Placed,
    Post,
    knowledge,
    man_posts,
    placed,
)
from services.signals.domain.quota import Quota, ends_session
from shared.events import CandleIn, Close, Event, LevelComputed, SignalGenerated, Tick
from shared.market.instruments import Instrument
from shared.market.timeframes import TIMEFRAMES, Timeframe

_NOTHING: tuple[SignalGenerated, ...] = ()
_LEVELS = "levels:"


class Watch:
    """Follows a symbol's prices past its levels.

    ``low``, ``high``, ``until`` and ``until_count`` bound where no post can change: prices inside
    cost four comparisons, and only a price outside asks the posts whose own bounds it leaves.
    """

    __slots__ = (
        "_changed_levels",
        "_closes",
        "_count",
        "_cut",
        "_decimals",
        "_high",
        "_levels",
        "_low",
        "_posts",
        "_price",
        "_quota",
        "_rules",
        "_slow_changed",
        "_tick_size",
        "_until",
        "_until_count",
    )

    def __init__(self, rules: tuple[ActiveRule, ...]) -> None:
        self._rules = rules
        self._tick_size: float | None = None
        self._decimals = 0
        self._price: float | None = None
        self._count = 0
        self._cut = False
        self._levels: Levels = {}
        self._changed_levels: set[Timeframe] = set()
        self._posts: list[Post] = []
        self._slow_changed = True
        self._quota = Quota()
        self._closes = CandleRules()
        self._closes.set_rules(rules)
        self._wake()

    def passes(self, at: int, price: float) -> bool:
        """Take the next price if it is one without effect."""
        count = self._count + 1
        if self._low < price < self._high and at <= self._until and count <= self._until_count:
            self._count, self._price = count, price
            return True
        return False

    def take(self, tick: Tick) -> Sequence[SignalGenerated]:
        """The next price; the signals that it completes."""
        if self.passes(tick.at, tick.price):
            return _NOTHING
        self._count += 1
        return self._decide(tick, tick.price, smooth=False)

    def take_candle(self, candle: CandleIn) -> list[SignalGenerated]:
        """The next prices, of which a provider gave a candle only; the signals they complete.

        The way is taken as open, the extreme nearer to it, the other one, close, all at the
        candle's end; between them the price passed every level in between.
        """
        signals: list[SignalGenerated] = []
        prices = (level.price for levels in self._levels.values() for level in levels)
        for number, price in enumerate(path(candle, prices)):
            self._count += 1
            signals += self._decide(candle, price, smooth=number > 0)
        return signals

    def cut(self) -> None:
        """Prices were lost, or a session is over: the next move is one over a cut."""
        self._cut = True
        self._wake()

    def close(self, close: Close) -> list[SignalGenerated]:
        """Candles are over: what the candle rules say, and then perhaps the session's end."""
        signals = [] if self._tick_size is None else self._at_close(close, self._tick_size)
        self._slow_changed |= self._quota.close(close)
        if ends_session(close):
            self.cut()
        return signals

    def set_instrument(self, instrument: Instrument) -> None:
        """The tick that distances are measured in from here on."""
        self._decimals = instrument.decimals
        self._tick_size = instrument.tick_size
        self._man(knowledge(self._posts))

    def set_rules(self, rules: tuple[ActiveRule, ...]) -> None:
        """The rules from here on."""
        self._rules = rules
        self._closes.set_rules(rules)
        self._man(knowledge(self._posts))

    def set_levels(self, computed: LevelComputed) -> None:
        """The levels and values of one timeframe from here on.

        Raises:
            ValueError: nobody has said what a tick of this instrument is.
        """
        if self._tick_size is None:
            raise ValueError(
                f"{computed.symbol} has levels but no instrument on the spine; put its config "
                "entry of kind instrument before its first tick"
            )
        self._slow_changed |= self._closes.read(computed)
        levels = placed(computed)
        if self._levels.get(computed.timeframe, ()) != levels:
            self._levels[computed.timeframe] = levels
            self._changed_levels.add(computed.timeframe)
            if any(one.rule.when.timeframe == computed.timeframe for one in self._rules):
                self._man(knowledge(self._posts))

    def view(self) -> dict[str, Any] | None:
        """The session's counts, and what rules wait for; None if nothing changed since the last."""
        if not (self._quota.changed or self._closes.changed):
            return None
        self._quota.changed = self._closes.changed = False
        return {
            "sent": self._quota.sent,
            "suppressed": self._quota.suppressed,
            "waiting": self._closes.waiting,
        }

    def changes(self) -> dict[str, str]:
        """The state as JSON texts by part, those parts that have changed since the last call.

        Every price changes the part without a name, a few bytes. ``posts`` changes where something
        nearly happens, ``levels:15m`` where a candle of that timeframe moved a level.
        """
        parts = {"": _text([self._price, self._count, self._cut])}
        if self._slow_changed:
            parts["posts"] = _text(self._slow_state())
        for timeframe in sorted(self._changed_levels):
            rows = [tuple(level) for level in self._levels[timeframe]]
            parts[f"{_LEVELS}{timeframe}"] = _text(rows)
        self._slow_changed = False
        self._changed_levels = set()
        return parts

    @classmethod
    def load(cls, parts: Mapping[str, str], rules: tuple[ActiveRule, ...]) -> "Watch":
        """The watch that ``changes`` wrote down, under the rules in force then."""
        watch = cls(rules)
        watch._price, watch._count, watch._cut = orjson.loads(parts[""])
        saved = orjson.loads(parts["posts"])
        watch._tick_size, watch._decimals = saved["tick_size"], saved["decimals"]
        for timeframe in TIMEFRAMES:
            rows = orjson.loads(parts.get(f"{_LEVELS}{timeframe}", "null"))
            if rows is not None:
                watch._levels[timeframe] = tuple(Placed(*row) for row in rows)
        watch._quota.load(saved["quota"])
        watch._closes.load(saved["closes"])
        watch._closes.set_rules(rules)
        watch._man(watch._saved_knowledge(saved["posts"]))
        watch._slow_changed = False
        return watch

    @staticmethod
    def parts() -> list[str]:
        """The names of all parts there can be."""
        return ["", "posts", *(f"{_LEVELS}{timeframe}" for timeframe in TIMEFRAMES)]

    def _slow_state(self) -> dict[str, Any]:
        posts: dict[str, dict[str, Any]] = {}
        for post in self._posts:
            posts.setdefault(post.active.label, {})[post.place] = post.pattern.save()
        return {
            "tick_size": self._tick_size,
            "decimals": self._decimals,
            "quota": self._quota.save(),
            "closes": self._closes.save(),
            "posts": posts,
        }

    def _saved_knowledge(self, posts: dict[str, dict[str, Any]]) -> Former:
        if self._tick_size is None:
            return {}
        spots = {
            f"{timeframe}.{level.ref}": Spot(level.price, self._tick_size)
            for timeframe, levels in self._levels.items()
            for level in levels
        }
        return {
            (label, place): (spots[place], saved)
            for label, places in posts.items()
            for place, saved in places.items()
        }

    def _man(self, former: Former) -> None:
        if self._tick_size is not None:
            self._posts = man_posts(self._rules, self._levels, self._tick_size, former)
        self._slow_changed = True
        self._wake()

    def _wake(self) -> None:
        """Let the next price be looked at in full."""
        self._low, self._high = inf, -inf
        self._until = self._until_count = inf

    def _decide(
        self, cause: Tick | CandleIn, price: float, *, smooth: bool
    ) -> Sequence[SignalGenerated]:
        before, self._price = self._price, price
        if before is None:
            return _NOTHING
        move = Move(before, price, cause.at, self._count, self._cut, smooth)
        self._cut = False
        signals = [signal for post in self._posts for signal in self._ask(post, move, cause)]
        self._rest_until_bounds()
        return signals

    def _ask(self, post: Post, move: Move, cause: Event) -> Sequence[SignalGenerated]:
        quiet = post.pattern.quiet
        if quiet.holds(move):
            return _NOTHING
        known = post.pattern.save()
        hit = post.pattern.take(move)
        self._slow_changed |= post.pattern.save() != known
        if hit is None:
            return _NOTHING
        active = post.active
        if not self._quota.grant(active.config, active.signals_a_day_max):
            return _NOTHING
        return (post.signal(hit, move, cause, self._decimals),)

    def _at_close(self, close: Close, tick_size: float) -> list[SignalGenerated]:
        self._slow_changed |= self._closes.concerns(close)
        return [
            self._closes.signal(active, seen, close, self._decimals)
            for active, seen in self._closes.decide(close, tick_size)
            if self._quota.grant(active.config, active.signals_a_day_max)
        ]

    def _rest_until_bounds(self) -> None:
        ranges = [post.pattern.quiet for post in self._posts]
        self._low = max((quiet.low for quiet in ranges), default=-inf)
        self._high = min((quiet.high for quiet in ranges), default=inf)
        self._until = min((quiet.until for quiet in ranges), default=inf)
        self._until_count = min((quiet.until_count for quiet in ranges), default=inf)


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
