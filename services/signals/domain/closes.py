"""Candle rules of one symbol: decided at a close, once everything that it closed has been read."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.signals.domain.arming import MICROS, spent
from services.signals.domain.book import ActiveRule
from services.signals.domain.conditions import AtClose
from services.signals.domain.correlating import Ring
from services.signals.domain.describing import described, named_after
from services.signals.domain.moves import Timing
from services.signals.domain.others import Numbers, Others, Relayed
from services.signals.domain.parking import Look, Snapshot, Zones
from services.signals.domain.posts import expiry
from services.signals.domain.rules import Rule
from services.signals.domain.series import PARTS, Correlated
from services.signals.domain.truth import NO_PAST, Evaluation, Past, SeenZone, Truth
from shared.events import Close, LevelComputed, SignalGenerated
from shared.events.base import stamp
from shared.events.candle import Origin
from shared.market.timeframes import Timeframe

# Evaluations of one rule that wait for other symbols; the oldest is then decided without them.
PARKED_MAX = 500


@dataclass(slots=True)
class Page:
    """What is kept of a timeframe's last reading: what rules look at."""

    pos: int
    at: int
    origin: Origin
    numbers: Numbers
    zones: Zones


@dataclass(slots=True)
class Memory:
    """What a rule knows: its last look, its firing, its correlations, what it has still to see."""

    truth: Truth = None
    fired_at: int | None = None
    past: Past = NO_PAST
    rings: dict[str, Ring] = field(default_factory=dict)
    parked: deque[Snapshot] = field(default_factory=deque)


class Fired(NamedTuple):
    """A rule fires: what it saw, of which close, at which place of the spine."""

    active: ActiveRule
    seen: Evaluation
    snapshot: Snapshot
    pos: int


class CandleRules:
    """Fires where a condition that did not hold at one candle holds at the next.

    Seeded and filled-in candles are looked at, so that the first live one finds the past in place,
    but nothing fires on them. A rule that looks at other symbols is decided as soon as it is known
    what they did up to the close, each of its candles in its turn. ``waiting`` names what a rule
    has not got yet.
    """

    __slots__ = ("_memories", "_pages", "_rules", "_wanted", "changed", "waiting")

    def __init__(self) -> None:
        self._rules: list[tuple[ActiveRule, AtClose]] = []
        self._wanted: dict[Timeframe, set[str]] = {}
        self._memories: dict[str, Memory] = {}
        self._pages: dict[Timeframe, Page] = {}
        self.waiting: dict[str, list[str]] = {}
        self.changed = False

    def set_rules(self, rules: Iterable[ActiveRule]) -> None:
        """The rules from here on; a rule that stays keeps what it knows."""
        at_close = [(one, one.rule.when) for one in rules]
        self._rules = [(one, when) for one, when in at_close if isinstance(when, AtClose)]
        labels = [active.label for active, _ in self._rules]
        self._memories = {label: self._memories.get(label, Memory()) for label in labels}
        waiting = {label: self.waiting[label] for label in labels if label in self.waiting}
        self.changed |= waiting != self.waiting
        self.waiting = waiting
        self._wanted = {}
        for active, when in self._rules:
            self._wanted.setdefault(when.timeframe, set(PARTS))
            for frame, series in when.reads():
                if isinstance(series, Correlated):
                    self._memories[active.label].rings.setdefault(series.key, Ring())
                elif series.symbol is None:
                    self._wanted.setdefault(frame, set(PARTS)).add(series.key)
            for frame in when.zone_timeframes():
                self._wanted.setdefault(frame, set(PARTS))
        # What no rule looks at is forgotten at once, as a restart would forget it.
        self._pages = {at: page for at, page in self._pages.items() if at in self._wanted}

    def read(self, computed: LevelComputed) -> bool:
        """Take a timeframe's reading in, if a rule looks at it; whether one does."""
        wanted = self._wanted.get(computed.timeframe)
        if wanted is None:
            return False
        kept = {key: one for key, one in numbers_of(computed).items() if key in wanted}
        self._pages[computed.timeframe] = Page(
            computed.pos, computed.at, computed.origin, kept, _zones(computed)
        )
        return True

    def concerns(self, close: Close) -> bool:
        """Whether a rule is decided on one of the candles that are over."""
        closed = {window.timeframe for window in close.windows}
        return any(when.timeframe in closed for _, when in self._rules)

    def looks_at(self, symbol: str) -> bool:
        """Whether a rule looks at this other symbol."""
        return any(symbol in active.rule.others for active, _ in self._rules)

    def sessions_parked(self) -> set[int]:
        """The sessions of the evaluations that wait."""
        parked = (one for memory in self._memories.values() for one in memory.parked)
        return {one.session.open_at for one in parked if one.session is not None}

    def oldest_parked(self) -> int | None:
        """The earliest close that has still to be decided on."""
        heads = (memory.parked[0].at for memory in self._memories.values() if memory.parked)
        return min(heads, default=None)

    def take(self, close: Close, timing: Timing) -> None:
        """Take down what rules see of the candles that this close ends."""
        closed = {window.timeframe for window in close.windows}
        for active, when in self._rules:
            page = self._pages.get(when.timeframe)
            # A window without prices has no candle, and so no reading of this position.
            if when.timeframe not in closed or page is None or page.pos != close.pos:
                continue
            snapshot = Snapshot(
                at=page.at,
                pos=page.pos,
                origin=page.origin,
                session=timing.session,
                since=timing.ends.get(active.rule.candle, 0),
                numbers={frame: one.numbers for frame, one in self._pages.items()},
                zones={frame: one.zones for frame, one in self._pages.items()},
            )
            if active.rule.others:
                snapshot = snapshot.kept_for(when)
            self._memories[active.label].parked.append(snapshot)

    def remember(self, symbol: str, relayed: Relayed) -> None:
        """Take in the past of correlations that an entry brings for this symbol."""
        for active, when in self._rules:
            for _, series in when.reads():
                if (
                    isinstance(series, Correlated)
                    and series.symbol == relayed.symbol
                    and when.timeframe == relayed.timeframe
                ):
                    for pair in relayed.pairs.get(symbol, ()):
                        self._memories[active.label].rings[series.key].add(pair, series)

    def decide(self, others: Others, tick: float, pos: int) -> Iterator[Fired]:
        """The rules that fire by what is known now, in their order; ``pos`` is now."""
        for active, when in self._rules:
            memory = self._memories[active.label]
            waits: list[str] = []
            while memory.parked:
                look = Look(when, memory.parked[0], others, memory.rings, tick)
                waits = look.unknown_yet()
                if waits and len(memory.parked) <= PARKED_MAX:
                    break
                seen = self._look(active, memory, look)
                if seen is not None:
                    yield Fired(active, seen, look.snapshot, pos)
            if waits:
                self._wait(active.label, waits)

    def save(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "pages": {
                timeframe: [page.pos, page.at, page.origin, page.numbers, page.zones]
                for timeframe, page in self._pages.items()
            },
            "memories": {label: _saved(memory) for label, memory in self._memories.items()},
            "waiting": self.waiting,
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what ``save`` gave; the rules come afterwards."""
        for timeframe, (pos, at, origin, numbers, zones) in saved["pages"].items():
            seen = tuple(SeenZone(*zone) for zone in zones)
            self._pages[timeframe] = Page(pos, at, origin, numbers, seen)
        self._memories = {label: _loaded(one) for label, one in saved["memories"].items()}
        self.waiting = saved["waiting"]

    def _look(self, active: ActiveRule, memory: Memory, look: Look) -> Evaluation | None:
        snapshot = memory.parked.popleft()
        look.pair_up()
        evaluation = Evaluation(look, memory.past)
        was, memory.truth = memory.truth, evaluation.truth(look.when.condition)
        memory.past = evaluation.past
        self._wait(active.label, evaluation.missing)
        edge = was is False and memory.truth is True and snapshot.origin == "live"
        if not edge or not _may_fire(active.rule, memory.fired_at, snapshot):
            return None
        memory.fired_at = snapshot.at
        return evaluation

    def _wait(self, label: str, missing: list[str]) -> None:
        if self.waiting.get(label, []) != missing:
            self.changed = True
            self.waiting.pop(label, None)
            if missing:
                self.waiting[label] = missing


def numbers_of(computed: LevelComputed) -> Numbers:
    """Every number of a reading that a condition can look at, by key."""
    numbers = {part: getattr(computed.candle, part) for part in PARTS}
    numbers |= computed.values
    for level in sorted(computed.levels, key=lambda level: level.formed_at):
        numbers[f"level:{level.key}"] = level.price
    for zone in sorted(computed.zones, key=lambda zone: zone.formed_at):
        numbers[f"zone:{zone.key}.high"] = zone.high
        numbers[f"zone:{zone.key}.low"] = zone.low
    return numbers


def signal_of(fired: Fired, symbol: str, decimals: int) -> SignalGenerated:
    """The signal that tells of a rule that fired."""
    active, snapshot = fired.active, fired.snapshot
    when = active.rule.when
    assert isinstance(when, AtClose)
    price = snapshot.numbers[when.timeframe]["close"]
    level, level_price = named_after(when.condition, fired.seen, price)
    text = described(when.condition, fired.seen.operands, decimals)
    return SignalGenerated(
        symbol=symbol,
        at=snapshot.at,
        pos=fired.pos,
        config=active.config,
        rule=active.rule.name,
        rule_version=active.version,
        action="condition",
        direction=when.direction,
        timeframe=when.timeframe,
        level=level,
        level_price=level_price,
        price=price,
        gap=False,
        operands={"close": price} | fired.seen.operands,
        reason=f"{symbol} {when.timeframe} candle: {text}"[:400],
        expires_at=expiry(active, snapshot.session, snapshot.at),
        cause=f"{LevelComputed.TYPE}:{symbol}:{when.timeframe}:{stamp(snapshot.at)}",
    )


def _may_fire(rule: Rule, fired_at: int | None, snapshot: Snapshot) -> bool:
    if rule.during and not any(one.holds(snapshot.at - 1, snapshot.session) for one in rule.during):
        return False
    if fired_at is None:
        return True
    if snapshot.at - fired_at < rule.life.cooldown_s * MICROS:
        return False
    ends: Mapping[Timeframe, int] = {rule.candle: snapshot.since}
    return not spent(rule, fired_at, ends, on_close=True)


def _zones(computed: LevelComputed) -> Zones:
    return tuple(
        SeenZone(zone.key, zone.low, zone.high, zone.formed_at, zone.status)
        for zone in computed.zones
    )


def _saved(memory: Memory) -> list[Any]:
    rings = {key: ring.pairs for key, ring in memory.rings.items()}
    parked = [one.save() for one in memory.parked]
    return [memory.truth, memory.fired_at, memory.past, rings, parked]


def _loaded(saved: list[Any]) -> Memory:
    truth, fired_at, (pairs, trails), rings, parked = saved
    past = Past(
        tuple((left, right) for left, right in pairs), tuple(tuple(trail) for trail in trails)
    )
    return Memory(
        truth,
        fired_at,
        past,
        {key: Ring(tuple(pair) for pair in ring) for key, ring in rings.items()},
        deque(Snapshot.load(one) for one in parked),
    )
