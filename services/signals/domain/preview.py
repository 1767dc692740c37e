"""Would it have fired? The live machine over the past, and what the price did after each hit."""

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from services.signals.domain.conditions import AtClose
from services.signals.domain.others import RELAYED, Relayed
from services.signals.domain.quota import ends_session
from services.signals.domain.relaying import SILENCE_US, needs, no_candle, relayed, request
from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import (
    CandleIn,
    Close,
    Config,
    Event,
    LevelComputed,
    SignalGenerated,
    Tick,
)
from shared.events.base import moment
from shared.events.spine import PARTITION_SYMBOL
from shared.market.timeframes import Timeframe

HORIZONS = (1, 5, 20)
DEFAULT_HORIZON: Timeframe = "15m"
_HOUR_US = 3_600_000_000
# What a preview has of its own: its rules, and what they look at of other symbols.
_OWN_KINDS = ("rules", RELAYED)


@dataclass(frozen=True, slots=True)
class Hit:
    """A signal that would have been told. ``returns`` are those after so many candles, as a share
    of the price and positive where the price went the signal's way; null where the past ends."""

    signal: SignalGenerated
    returns: Mapping[int, float | None]

    @property
    def day(self) -> str:
        """Its day, UTC."""
        return f"{moment(self.signal.at):%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """All hits of a kind together: the mean return after so many candles, and the share of hits
    after which the price went the signal's way; null where there are none."""

    hits: int
    mean: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule set would have done: every hit in order, and what the daily cap held back.

    ``prices`` and ``candles`` tell how much of the past was played, ``waiting`` which numbers a
    rule had not got at the end: a rule that waits cannot fire.
    """

    hits: list[Hit]
    suppressed: int
    prices: int
    candles: int
    waiting: dict[str, list[str]]

    def by_day(self) -> dict[str, int]:
        """Hits of each day that has any, in order."""
        return dict(sorted(Counter(hit.day for hit in self.hits).items()))

    def by_rule(self) -> dict[str, int]:
        """Hits of each rule that has any."""
        return dict(sorted(Counter(hit.signal.rule for hit in self.hits).items()))

    def outlook(self) -> dict[int, Outlook]:
        """By the number of candles."""
        return {after: self._after(after) for after in HORIZONS}

    def _after(self, after: int) -> Outlook:
        known = [hit.returns[after] for hit in self.hits]
        values = [value for value in known if value is not None]
        if not values:
            return Outlook(0, None, None)
        share = sum(value > 0 for value in values) / len(values)
        return Outlook(len(values), sum(values) / len(values), share)


class Preview:
    """One symbol under one rule set. It is given what the stage is given, in the same order: spine
    entries, and before each close the readings of its position; what it says is what live play of
    the same entries says.

    Hits count from ``since`` on, up to ``until``; what comes before brings levels and edges into
    the state they would be in. ``horizon`` is the timeframe that returns are measured in, where it
    is not the rule's own: a rule on closed candles has one, one on prices takes 15m.
    """

    def __init__(
        self,
        rule_set: RuleSet,
        symbol: str,
        since: int = 0,
        until: int | None = None,
        horizon: Timeframe | None = None,
    ) -> None:
        self._rule_set = rule_set
        self._symbol = symbol
        self._since = since
        self._until = until
        self._horizons = {rule.name: horizon or _horizon(rule.when) for rule in rule_set.rules}
        self.others = frozenset(one for rule in rule_set.rules for one in rule.others)
        self._feeds = [*needs([rule_set], [symbol])]
        self._at = self._known = 0
        self._step = SignalsStep({})
        self._step.process([_config(rule_set)])
        self._signals: list[SignalGenerated] = []
        self._closes: dict[Timeframe, tuple[list[int], list[float]]] = {}
        self._prices = self._candles = self._suppressed = 0
        self._shown: dict[str, Any] = {}

    @property
    def timeframes(self) -> set[Timeframe]:
        """The timeframes whose candles returns are measured in."""
        return {*self._horizons.values()}

    def play(self, events: Sequence[Event]) -> None:
        """Take the next entries, and readings of the symbols that the rules look at besides.

        Rule sets among the entries, and what they made the log relay, are passed over.

        Raises:
            ValueError: an entry cannot be decided.
        """
        mine: list[Event] = []
        for event in events:
            if isinstance(event, Config) and event.kind in _OWN_KINDS:
                continue
            if event.symbol not in (self._symbol, PARTITION_SYMBOL):
                if isinstance(event, LevelComputed) and event.symbol in self.others:
                    mine.append(_entry(relayed(event), event.pos))
                continue
            if isinstance(event, LevelComputed):
                self._note(event)
            elif isinstance(event, Close):
                if ends_session(event):
                    # The machine forgets the day's counts with this close.
                    self._take(mine)
                    self._settle()
                    mine = []
            elif isinstance(event, Tick | CandleIn):
                self._prices += 1
            if self._feeds and isinstance(event, Close):
                mine += self._no_candles(event.at)
            mine.append(event)
        self._take(mine)

    def report(self) -> Report:
        """What has come of it so far, which is all there is of other symbols."""
        self._take([_entry(no_candle(feed, self._at)) for feed in self._feeds])
        self._settle(over=False)
        return Report(
            [Hit(signal, self._returns(signal)) for signal in self._signals],
            self._suppressed + self._held_back(),
            self._prices,
            self._candles,
            self._shown.get("waiting", {}),
        )

    def _no_candles(self, at: int) -> Iterator[Event]:
        """Once an hour, that other symbols have had no further candle, as the log would tell."""
        self._at = max(self._at, at)
        known = at - SILENCE_US
        if known - known % _HOUR_US > self._known:
            self._known = known
            yield from (_entry(no_candle(feed, known)) for feed in self._feeds)

    def _take(self, events: Sequence[Event]) -> None:
        for signal in self._step.process(events):
            if isinstance(signal, SignalGenerated) and self._counts(signal):
                self._signals.append(signal)

    def _counts(self, signal: SignalGenerated) -> bool:
        return (
            signal.symbol == self._symbol
            and signal.at >= self._since
            and (self._until is None or signal.at < self._until)
        )

    def _settle(self, *, over: bool = True) -> None:
        """Read what the machine shows; at a session's end count what it held back."""
        text = self._step.views().get(self._symbol)
        if text is not None:
            self._shown = orjson.loads(text)
        if over:
            self._suppressed += self._held_back()
            self._shown = {**self._shown, "suppressed": {}}

    def _held_back(self) -> int:
        return int(self._shown.get("suppressed", {}).get(self._rule_set.name, 0))

    def _note(self, reading: LevelComputed) -> None:
        self._candles += 1
        times, closes = self._closes.setdefault(reading.timeframe, ([], []))
        times.append(reading.at)
        closes.append(reading.candle.close)

    def _returns(self, signal: SignalGenerated) -> dict[int, float | None]:
        times, closes = self._closes.get(self._horizons[signal.rule], ([], []))
        first = bisect_right(times, signal.at)
        way = 1.0 if signal.direction == "long" else -1.0
        return {
            after: way * (closes[first + after - 1] / signal.price - 1.0)
            if first + after <= len(closes)
            else None
            for after in HORIZONS
        }


def _entry(told: Relayed, pos: int = 0) -> Config:
    """What is known of another symbol, as the log would have relayed it."""
    return Config(pos=pos, **request(told).model_dump(exclude={"pos"}))


def _horizon(when: object) -> Timeframe:
    return when.timeframe if isinstance(when, AtClose) else DEFAULT_HORIZON


def _config(rule_set: RuleSet) -> Config:
    return Config(
        symbol=PARTITION_SYMBOL,
        at=0,
        pos=0,
        kind="rules",
        name=rule_set.name,
        version=rule_set.version,
        body=rule_set.body,
    )


def in_order(
    spine: Iterable[Event], readings: Iterable[LevelComputed], others: Iterable[LevelComputed] = ()
) -> Iterator[Event]:
    """One partition's recorded entries as the stage sees them: each close after the readings of its
    position. Readings of other symbols stand before the first entry that is not before them; when
    exactly they come decides nothing."""
    mine, foreign = _Queue(readings), _Queue(others)
    for entry in spine:
        reached = entry.pos if isinstance(entry, Close) else entry.pos - 1
        yield from mine.up_to(lambda one, reached=reached: one.pos <= reached)  # type: ignore[misc]
        yield from foreign.up_to(lambda one, at=entry.at: one.at <= at)  # type: ignore[misc]
        yield entry


class _Queue:
    """Readings that are taken from the front."""

    def __init__(self, readings: Iterable[LevelComputed]) -> None:
        self._rest = deque(readings)

    def up_to(self, is_due: Callable[[LevelComputed], bool]) -> Iterator[LevelComputed]:
        while self._rest and is_due(self._rest[0]):
            yield self._rest.popleft()
