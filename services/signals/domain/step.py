"""The signals stage of one partition: prices past levels, under the rules on the spine.

``SignalsStep`` is the evaluator, live and in a preview alike: it knows neither log nor clock. To
let it decide on recorded history, give ``process`` in this order

1. a ``Config`` of kind ``rules`` with the set's ``body``, wherever it comes into force;
2. the recorded spine in its order, its ``Config`` of kind ``instrument`` before any price, and
   before each ``Close`` the ``LevelComputed`` of its ``pos``, the shortest timeframe first;
3. of a rule that looks at another symbol, anywhere in between: a ``Config`` of kind ``relayed`` for
   each reading of that symbol in the order of their times, its body a ``Relayed`` as
   ``relaying.relayed`` makes it. Where it stands changes when an evaluation that waits for it is
   decided, and not how. At the end of the other symbol's history give ``relaying.no_candle``, or
   what waits for its next candle is never decided.

What comes back is what live play of the same entries writes. ``views`` says what rules wait for
and what the daily cap has suppressed.
"""

from collections.abc import Mapping, Sequence

import orjson
from pydantic import ValidationError

from services.signals.domain.book import Book
from services.signals.domain.others import RELAYED, Others, Relayed
from services.signals.domain.watch import Watch
from shared.events import CandleIn, Close, Config, Event, Gap, Heartbeat, LevelComputed, Tick
from shared.events.codec import first_reason
from shared.events.ticks import Ticks
from shared.market.instruments import Instrument

RULES_FIELD = "@rules"
OTHERS_FIELD = "@other:"


class SignalsStep:
    """Spine entries and levels in, signals out; see shared/bus/step.py for the contract.

    State: ``@rules`` holds every rule set in force, ``@other:VIX`` what is known of another symbol.
    A symbol has a field of its own name for what every price changes, ``<symbol>:posts`` for what
    its posts know and its counts of the session, ``<symbol>:closes`` for its candle rules, and
    ``<symbol>:levels:15m`` for each timeframe's levels. (No symbol holds a colon.)
    """

    def __init__(self, state: Mapping[str, str]) -> None:
        self._book = Book.load(state.get(RULES_FIELD, "[]"))
        self._others = Others()
        parts: dict[str, dict[str, str]] = {}
        for name, text in state.items():
            if name.startswith(OTHERS_FIELD):
                self._others.load(name.removeprefix(OTHERS_FIELD), text)
            elif name != RULES_FIELD:
                symbol, _, part = name.partition(":")
                parts.setdefault(symbol, {})[part] = text
        self._watches = {symbol: self._new(symbol).load(texts) for symbol, texts in parts.items()}
        self._dirty: set[str] = set()
        self._gone: set[str] = set()
        self._book_is_dirty = False

    def process(self, events: Sequence[Event]) -> list[Event]:
        """The signals that follow from the next events.

        Raises:
            ValueError: a rule set, instrument or reading that is none, or levels without an
                instrument.
        """
        signals: list[Event] = []
        for event in events:
            if isinstance(event, Tick):
                signals += self._watch(event.symbol).take(event)
            elif isinstance(event, CandleIn):
                # Seeds and fills are the past: they warm up levels, and nobody is to be alerted.
                if event.origin == "live":
                    signals += self._watch(event.symbol).take_candle(event)
            elif isinstance(event, LevelComputed):
                self._watch(event.symbol).set_levels(event)
            elif isinstance(event, Close):
                signals += self._watch(event.symbol).close(event)
            elif isinstance(event, Gap):
                self._watch(event.symbol).cut()
            elif isinstance(event, Heartbeat):
                self._forget(event.at)
            elif isinstance(event, Config):
                signals += self._configure(event)
        return signals

    def ticks(self, run: Ticks) -> list[Event]:
        """As ``process``, of nothing but ticks; few of them can have an effect."""
        signals: list[Event] = []
        known = self._watches
        self._dirty.update(run.symbol)
        rows = zip(run.symbol, run.at, run.price, strict=True)
        for place, (symbol, at, price) in enumerate(rows):
            watch = known.get(symbol) or self._watch(symbol)
            if not watch.passes(at, price):
                signals += watch.take(run[place])
        return signals

    def changes(self) -> dict[str, str]:
        """The state fields changed since the last call."""
        changed: dict[str, str] = {}
        for symbol in sorted(self._dirty):
            parts = dict.fromkeys(Watch.parts(), "") if symbol in self._gone else {}
            if (watch := self._watches.get(symbol)) is not None:
                parts |= watch.changes()
            for part, text in parts.items():
                changed[f"{symbol}:{part}" if part else symbol] = text
        for symbol, text in self._others.changes().items():
            changed[OTHERS_FIELD + symbol] = text
        if self._book_is_dirty:
            changed[RULES_FIELD] = self._book.save()
        self._dirty, self._gone, self._book_is_dirty = set(), set(), False
        return changed

    def views(self) -> dict[str, str]:
        """Each symbol's counts of this session and what its rules wait for, where changed."""
        views = {symbol: watch.view() for symbol, watch in self._watches.items()}
        return {
            symbol: orjson.dumps(view).decode()
            for symbol, view in views.items()
            if view is not None
        }

    def _new(self, symbol: str) -> Watch:
        return Watch(symbol, self._book.rules_for(symbol), self._others)

    def _watch(self, symbol: str) -> Watch:
        """The symbol's watch, which is about to change."""
        self._dirty.add(symbol)
        watch = self._watches.get(symbol)
        if watch is None:
            watch = self._watches[symbol] = self._new(symbol)
        return watch

    def _configure(self, config: Config) -> list[Event]:
        if config.kind == RELAYED:
            return self._hear(Relayed.of(config), config.pos)
        if config.kind == "rules":
            self._book.apply(config)
            self._book_is_dirty = True
            for symbol in self._watches:
                self._watch(symbol).set_rules(self._book.rules_for(symbol))
        elif config.kind == "instrument":
            self._set_instrument(config)
        return []

    def _hear(self, relayed: Relayed, pos: int) -> list[Event]:
        self._others.take(relayed)
        # By name: after a restart the watches stand in another order.
        return [
            signal
            for symbol, watch in sorted(self._watches.items())
            if watch.looks_at(relayed.symbol)
            for signal in self._watch(symbol).hear(relayed, pos)
        ]

    def _forget(self, now: int) -> None:
        """What other symbols did before everything that has still to be decided is past."""
        if self._others.is_empty:
            return
        parked = [at for watch in self._watches.values() if (at := watch.oldest_parked())]
        self._others.forget(min([now, *parked]))

    def _set_instrument(self, config: Config) -> None:
        if not config.body:
            self._dirty.add(config.symbol)
            self._gone.add(config.symbol)
            self._watches.pop(config.symbol, None)
            return
        try:
            instrument = Instrument.model_validate(config.body)
        except ValidationError as error:
            raise ValueError(f"instrument {config.name}: {first_reason(error)}") from error
        self._watch(config.symbol).set_instrument(instrument)
