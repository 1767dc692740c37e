"""What has to be relayed of other symbols onto a partition's spine, and how it is told."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.signals.domain.closes import numbers_of
from services.signals.domain.conditions import AtClose
from services.signals.domain.others import RELAYED, Pair, Relayed
from services.signals.domain.rules import RuleSet, digest
from services.signals.domain.series import Correlated
from shared.events import ConfigRequested, LevelComputed, Watermark
from shared.events.base import stamp
from shared.events.spine import PARTITION_SYMBOL
from shared.market.timeframes import LENGTH_US, TIMEFRAMES, Timeframe

Feed = tuple[str, Timeframe]
"""Another symbol's timeframe."""

# A provider may be late by this much. Only after it a silent symbol is taken to have no candle.
SILENCE_US = 30 * 60 * 1_000_000
# Candles of an hour and more begin with their session, at some quarter of an hour.
_OPENS_US = LENGTH_US["15m"]


@dataclass(slots=True)
class Need:
    """What rules look at of one feed: ``keys`` of its numbers; ``pace`` is the shortest timeframe
    that they are decided on, ``pairs`` the longest correlation of each symbol with it."""

    keys: set[str] = field(default_factory=lambda: {"close"})
    pace: Timeframe = TIMEFRAMES[-1]
    pairs: dict[str, int] = field(default_factory=dict)


Needs = dict[Feed, Need]


def needs(rule_sets: Iterable[RuleSet], symbols: Collection[str]) -> Needs:
    """What rules that are decided on these symbols look at of others."""
    found: Needs = {}
    for rule_set in rule_sets:
        for rule in rule_set.rules:
            own = [one for one in symbols if rule_set.covers(one) and one not in rule.others]
            if own and isinstance(rule.when, AtClose):
                _note(found, rule.when, own)
    return found


def _note(found: Needs, when: AtClose, own: Sequence[str]) -> None:
    for frame, series in when.reads():
        if series.symbol is None:
            continue
        need = found.setdefault((series.symbol, frame), Need())
        need.pace = min(need.pace, when.timeframe, key=TIMEFRAMES.index)
        if isinstance(series, Correlated):
            for symbol in own:
                need.pairs[symbol] = max(need.pairs.get(symbol, 0), series.pairs_needed)
        else:
            need.keys.add(series.key)


def looks_at_others(rules_text: str) -> list[RuleSet]:
    """The rule sets of the stage's state some rule of which looks at another symbol."""
    sets = (RuleSet.model_validate(body) for body in orjson.loads(rules_text))
    return [one for one in sets if any(rule.others for rule in one.rules)]


def known_until(text: str | None) -> dict[Timeframe, int]:
    """Up to when a partition knows another symbol, by that symbol's field of the stage's state."""
    saved: dict[Timeframe, Any] = {} if text is None else orjson.loads(text)
    return {frame: int(until) for frame, (until, _) in saved.items()}


def relayed(reading: LevelComputed, keys: Collection[str] | None = None) -> Relayed:
    """What a reading of another symbol says to rules; all of it, or of these keys."""
    numbers = numbers_of(reading)
    wanted = (
        numbers if keys is None else {key: numbers[key] for key in sorted(keys & numbers.keys())}
    )
    return Relayed(
        symbol=reading.symbol,
        timeframe=reading.timeframe,
        at=reading.at,
        origin=reading.origin,
        numbers=wanted,
    )


def no_candle(feed: Feed, at: int) -> Relayed:
    """There is no further candle of the feed up to this moment."""
    symbol, timeframe = feed
    return Relayed(symbol=symbol, timeframe=timeframe, at=at)


def request(told: Relayed) -> ConfigRequested:
    """What asks the spine's writer to put it there; the same thing twice is put there once."""
    body = told.model_dump(mode="json")
    return ConfigRequested(
        symbol=PARTITION_SYMBOL,
        at=told.at,
        pos=0,
        kind=RELAYED,
        name=f"{told.symbol}:{told.timeframe}",
        version=f"{stamp(told.at)}.{digest(body)[:8]}",
        body=body,
    )


class Forwarder:
    """Turns what other partitions' indicators say into what this one's rules have to know.

    Every candle of a feed is told, and at the pace of the rules that there was none.
    """

    def __init__(self, wanted: Needs) -> None:
        self.needs = wanted
        self._told: dict[Feed, int] = {}
        self._seen: dict[str, int] = {}

    @property
    def symbols(self) -> set[str]:
        """The other symbols."""
        return {symbol for symbol, _ in self.needs}

    def take(self, event: LevelComputed | Watermark, symbols: Collection[str]) -> Iterator[Relayed]:
        """The next event of a partition that these symbols live in; what is to be told."""
        if isinstance(event, LevelComputed):
            yield from self._reading(event)
        else:
            for symbol in sorted(symbols):
                yield from self._time(symbol, max(self._seen.get(symbol, 0), event.at - SILENCE_US))

    def told(self, feed: Feed, at: int) -> None:
        """So much of a feed was told by other means."""
        self._told[feed] = max(at, self._told.get(feed, 0))

    def _reading(self, reading: LevelComputed) -> Iterator[Relayed]:
        # Whatever the timeframe: what ended before this candle is closed, once the watermark comes.
        self._seen[reading.symbol] = max(reading.at, self._seen.get(reading.symbol, 0))
        feed = (reading.symbol, reading.timeframe)
        need = self.needs.get(feed)
        if need is not None and reading.at > self._told.get(feed, 0):
            self.told(feed, reading.at)
            yield relayed(reading, need.keys)

    def _time(self, symbol: str, known: int) -> Iterator[Relayed]:
        for feed, need in self.needs.items():
            boundary = known - known % min(LENGTH_US[need.pace], _OPENS_US)
            if feed[0] == symbol and boundary > self._told.get(feed, 0):
                self.told(feed, known)
                yield no_candle(feed, known)


def joined(own: Mapping[int, float], other: Mapping[int, float], count: int) -> list[Pair]:
    """The last so many moments at which both closed, with both closes."""
    moments = sorted(own.keys() & other.keys())[-count:]
    return [(at, own[at], other[at]) for at in moments]
