"""One symbol under watch: its prices, levels and candles, and everything that rules say of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from services.signals.domain.book import ActiveRule
from services.signals.domain.clockwork import Clockwork
from services.signals.domain.closes import CandleRules, Fired, signal_of
from services.signals.domain.onclose import OnClose, pace_of
from services.signals.domain.ontick import OnTick, Told
from services.signals.domain.others import Others, Relayed
from services.signals.domain.paths import path
from services.signals.domain.posts import Cause, Levels, Placed, placed
from services.signals.domain.quota import Quota, ends_session
from services.signals.domain.ranges import Ranges
from shared.events import CandleIn, Close, LevelComputed, SignalGenerated, Tick
from shared.events.base import stamp
from shared.market.instruments import Instrument
from shared.market.timeframes import TIMEFRAMES, Timeframe

_NOTHING: tuple[SignalGenerated, ...] = ()
_LEVELS = "levels:"


class Watch:
    """Follows a symbol's prices and candles under the rules in force.

    Rules come in three kinds: patterns decided on every price, patterns decided on closes, and
    conditions on closed candles, some of which look at ``others``. ``passes`` is the short way of a
    price without effect, see OnTick.
    """

    __slots__ = (
        "_changed_levels",
        "_clockwork",
        "_closes",
        "_closes_changed",
        "_decimals",
        "_levels",
        "_on_close",
        "_on_tick",
        "_others",
        "_quota",
        "_ranges",
        "_rules",
        "_slow_changed",
        "_symbol",
        "_tick_size",
        "_view_changed",
        "passes",
    )

    def __init__(self, symbol: str, rules: tuple[ActiveRule, ...], others: Others) -> None:
        self._symbol = symbol
        self._others = others
        self._rules = rules
        self._tick_size: float | None = None
        self._decimals = 0
        self._levels: Levels = {}
        self._changed_levels: set[Timeframe] = set()
        self._slow_changed = self._closes_changed = True
        self._view_changed = False
        self._quota = Quota()
        self._clockwork = Clockwork()
        self._ranges = Ranges()
        self._on_tick = OnTick()
        # As an attribute, so that a price without effect costs one call.
        self.passes: Callable[[int, float], bool] = self._on_tick.passes
        self._on_close = OnClose()
        self._closes = CandleRules()
        self._take_rules()

    def take(self, tick: Tick) -> Sequence[SignalGenerated]:
        """The next price; the signals that it completes."""
        if self.passes(tick.at, tick.price):
            return _NOTHING
        told = self._on_tick.take(tick.price, tick.at, self._clockwork.timing, smooth=False)
        return list(self._tell(told, Cause(tick.symbol, tick.pos, tick.id))) if told else _NOTHING

    def take_candle(self, candle: CandleIn) -> list[SignalGenerated]:
        """The next prices, of which a provider gave a candle only; the signals they complete.

        The way is taken as open, the extreme nearer to it, the other one, close, all at the
        candle's end; between them the price passed every level in between.
        """
        signals: list[SignalGenerated] = []
        cause = Cause(candle.symbol, candle.pos, candle.id)
        low, high = candle.low, candle.high
        inside = [
            level.price
            for levels in self._levels.values()
            for level in levels
            if low < level.price < high
        ]
        for number, price in enumerate(path(candle, inside)):
            if self.passes(candle.at, price):
                continue
            timing = self._clockwork.timing
            told = self._on_tick.take(price, candle.at, timing, smooth=number > 0)
            signals += self._tell(told, cause)
        return signals

    def cut(self) -> None:
        """Prices were lost, or a session is over: the next move is one over a cut."""
        self._on_tick.cut()
        self._on_close.cut()
        self._closes_changed = True

    def close(self, close: Close) -> list[SignalGenerated]:
        """Candles are over: what the candle rules say, and then perhaps the session's end."""
        self._slow_changed |= self._clockwork.enter(close)
        self._slow_changed |= self._quota.enter(close, self._closes.sessions_parked())
        signals = [] if self._tick_size is None else list(self._at_close(close, self._tick_size))
        self._slow_changed |= self._quota.leave(close, self._closes.sessions_parked())
        self._slow_changed |= self._clockwork.leave(close)
        if ends_session(close):
            self.cut()
        return signals

    def looks_at(self, symbol: str) -> bool:
        """Whether a rule looks at this other symbol."""
        return self._closes.looks_at(symbol)

    def hear(self, relayed: Relayed, pos: int) -> list[SignalGenerated]:
        """Something became known of another symbol; what waited for it."""
        self._closes_changed = True
        self._closes.remember(self._symbol, relayed)
        return [] if self._tick_size is None else list(self._at_last(self._tick_size, pos))

    def set_instrument(self, instrument: Instrument) -> None:
        """The tick that distances are measured in from here on."""
        self._decimals = instrument.decimals
        self._tick_size = instrument.tick_size
        self._on_close.set_rules(self._rules)
        self._closes_changed = True
        self._man(instrument.tick_size, on_close=True)

    def set_rules(self, rules: tuple[ActiveRule, ...]) -> None:
        """The rules from here on."""
        self._rules = rules
        self._take_rules()
        if self._tick_size is not None:
            self._man(self._tick_size, on_close=True)

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
        self._closes_changed |= self._closes.read(computed) | self._on_close.read(computed)
        news = self._ranges.read(computed)
        levels = placed(computed)
        if self._levels.get(computed.timeframe, ()) != levels:
            self._levels[computed.timeframe] = levels
            self._changed_levels.add(computed.timeframe)
            news |= any(one.rule.when.timeframe == computed.timeframe for one in self._rules)
        if news:
            self._man(self._tick_size)

    def oldest_parked(self) -> int | None:
        """The earliest close that has still to be decided on."""
        return self._closes.oldest_parked()

    def view(self) -> dict[str, Any] | None:
        """The session's counts, and what rules wait for; None if nothing changed since the last."""
        if not (self._quota.changed or self._closes.changed or self._view_changed):
            return None
        self._quota.changed = self._closes.changed = self._view_changed = False
        return {
            "sent": self._quota.sent,
            "suppressed": self._quota.suppressed,
            "waiting": self._closes.waiting | self._ranges.waiting,
        }

    def changes(self) -> dict[str, str]:
        """The state as JSON texts by part, those parts that have changed since the last call.

        Every price changes the part without a name, a few bytes. ``posts`` changes where something
        nearly happens, ``closes`` where a candle is decided on, ``levels:15m`` where a candle of
        that timeframe moved a level.
        """
        parts = {"": _text(self._on_tick.save())}
        if self._slow_changed or self._on_tick.changed:
            parts["posts"] = _text(self._slow_state())
        if self._closes_changed:
            saved = [self._closes.save(), self._on_close.save()]
            parts["closes"] = _text(saved)
        for timeframe in sorted(self._changed_levels):
            rows = [tuple(level) for level in self._levels[timeframe]]
            parts[f"{_LEVELS}{timeframe}"] = _text(rows)
        self._unchanged()
        return parts

    def load(self, parts: Mapping[str, str]) -> "Watch":
        """Go on from what ``changes`` wrote down, under the rules in force then."""
        saved = orjson.loads(parts["posts"])
        self._tick_size, self._decimals = saved["tick_size"], saved["decimals"]
        for timeframe in TIMEFRAMES:
            rows = orjson.loads(parts.get(f"{_LEVELS}{timeframe}", "null"))
            if rows is not None:
                self._levels[timeframe] = tuple(Placed(*row) for row in rows)
        self._quota.load(saved["quota"])
        self._clockwork.load(saved["clockwork"])
        self._ranges.load(saved["ranges"])
        closes, on_close = orjson.loads(parts["closes"])
        self._closes.load(closes)
        self._take_rules()
        self._on_tick.load(orjson.loads(parts[""]))
        if self._tick_size is not None:
            rules = self._ranges.in_ticks(self._tick_size)
            self._on_tick.load_posts(
                saved["posts"], _at_ticks(rules), self._levels, self._tick_size
            )
            self._on_close.load(on_close, self._ranges, self._tick_size)
        self._unchanged()
        self._view_changed = False
        return self

    @staticmethod
    def parts() -> list[str]:
        """The names of all parts there can be."""
        return ["", "posts", "closes", *(f"{_LEVELS}{timeframe}" for timeframe in TIMEFRAMES)]

    def _slow_state(self) -> dict[str, Any]:
        return {
            "tick_size": self._tick_size,
            "decimals": self._decimals,
            "quota": self._quota.save(),
            "clockwork": self._clockwork.save(),
            "ranges": self._ranges.save(),
            "posts": self._on_tick.save_posts(),
        }

    def _unchanged(self) -> None:
        self._slow_changed = self._closes_changed = self._on_tick.changed = False
        self._changed_levels = set()

    def _take_rules(self) -> None:
        for part in (self._closes, self._on_close, self._ranges, self._clockwork):
            part.set_rules(self._rules)
        self._closes_changed = True

    def _man(self, tick_size: float, *, on_close: bool = False) -> None:
        waited = self._ranges.waiting
        self._ranges.meet(self._levels)
        rules = self._ranges.in_ticks(tick_size)
        self._on_tick.man(_at_ticks(rules), self._levels, tick_size)
        if on_close:
            self._on_close.man(rules, self._levels, tick_size)
        self._view_changed |= waited != self._ranges.waiting

    def _tell(self, told: Iterable[Told], cause: Cause) -> Iterator[SignalGenerated]:
        for post, hit, move in told:
            self._slow_changed = True
            if self._quota.grant(post.active.config, post.active.signals_a_day_max):
                yield post.signal(hit, move, cause, self._decimals)

    def _at_close(self, close: Close, tick_size: float) -> Iterator[SignalGenerated]:
        timing = self._clockwork.timing
        if self._on_close.paces:
            self._closes_changed = True
            for told in self._on_close.decide(close, timing):
                pace = pace_of(told.post.active)
                reading = f"{LevelComputed.TYPE}:{close.symbol}:{pace}:{stamp(close.at)}"
                yield from self._tell([told], Cause(close.symbol, close.pos, reading))
            self._on_close.man(self._ranges.in_ticks(tick_size), self._levels, tick_size)
        if self._closes.concerns(close):
            self._closes_changed = True
            self._closes.take(close, timing)
            yield from self._at_last(tick_size, close.pos)

    def _at_last(self, tick_size: float, pos: int) -> Iterator[SignalGenerated]:
        """Candle rules, of which everything is known now."""
        for fired in self._closes.decide(self._others, tick_size, pos):
            yield from self._tell_of_candle(fired)

    def _tell_of_candle(self, fired: Fired) -> Iterator[SignalGenerated]:
        active, session = fired.active, fired.snapshot.session
        session_at = None if session is None else session.open_at
        self._slow_changed = True
        if self._quota.grant(active.config, active.signals_a_day_max, session_at):
            yield signal_of(fired, self._symbol, self._decimals)


def _at_ticks(rules: Iterable[ActiveRule]) -> list[ActiveRule]:
    return [rule for rule in rules if pace_of(rule) is None]


def _text(value: Any) -> str:
    # Named tuples are no lists to orjson.
    return orjson.dumps(value, default=list).decode()
