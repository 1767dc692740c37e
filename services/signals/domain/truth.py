"""Whether a condition holds: true, false, or unknown while one of its numbers is missing."""

from collections.abc import Sequence as Items
from typing import NamedTuple, Protocol

from services.signals.domain.conditions import (
    AtPrice,
    AtZone,
    Compare,
    Condition,
    Cross,
    Junction,
    Leaf,
    Negation,
    Sequence,
    Within,
)
from services.signals.domain.hours import SessionSpan, SessionWindow, TimeWindow
from services.signals.domain.moves import TOLERANCE_TICKS
from services.signals.domain.series import CandlePart, Number, Read, Series
from shared.market.timeframes import Timeframe

Truth = bool | None
Two = tuple[float | None, float | None]


class SeenZone(NamedTuple):
    """What is kept of a zone."""

    key: str
    low: float
    high: float
    formed_at: int
    status: str


class Sight(Protocol):
    """What can be seen at one close."""

    @property
    def tick(self) -> float:
        """The instrument's tick."""
        ...

    @property
    def moment(self) -> int:
        """The last moment of the candle that closed."""
        ...

    @property
    def session(self) -> SessionSpan | None:
        """The candle's session, if it is known."""
        ...

    def number(self, series: Read) -> float | None:
        """A series' number, or None while there is none."""
        ...

    def absence(self, series: Read) -> str:
        """What a rule waits for where a series has no number."""
        ...

    def zones(self, timeframe: Timeframe | None) -> Items[SeenZone] | None:
        """A timeframe's zones (None: the rule's own), or None while nobody has told."""
        ...


class Past(NamedTuple):
    """What a condition remembers of the candle before, each kind in the condition's own order.

    ``pairs``: both sides of what is compared with before. ``trails``: of every sequence, for each
    step but the last, when it was reached: bit n stands for n candles ago.
    """

    pairs: tuple[Two, ...] = ()
    trails: tuple[tuple[int, ...], ...] = ()


NO_PAST = Past()


class Evaluation:
    """One look at a condition.

    Afterwards ``past`` is what the next look has to be given, ``operands`` every number seen,
    ``missing`` the names of those that were not there, ``zone`` the one that was met.
    """

    def __init__(self, sight: Sight, past: Past) -> None:
        self._sight = sight
        self._past = past
        self._pairs: list[Two] = []
        self._trails: list[tuple[int, ...]] = []
        self.operands: dict[str, float] = {}
        self.missing: list[str] = []
        self.zone: SeenZone | None = None

    @property
    def past(self) -> Past:
        """What the next look has to be given."""
        return Past(tuple(self._pairs), tuple(self._trails))

    def truth(self, condition: Condition) -> Truth:
        """Kleene's logic: unknown unless the known parts settle it. Looks at every part."""
        if isinstance(condition, Negation):
            truth = self.truth(condition.condition)
            return None if truth is None else not truth
        if isinstance(condition, Sequence):
            return self._sequence(condition)
        if not isinstance(condition, Junction):
            return self._leaf(condition)
        settles = condition.kind == "any"
        truths = [self.truth(part) for part in condition.conditions]
        if settles in truths:
            return settles
        return None if None in truths else not settles

    def _sequence(self, sequence: Sequence) -> Truth:
        place = len(self._trails)
        self._trails.append(())
        truths = [self.truth(step) for step in sequence.steps]
        known = self._past.trails
        before = known[place] if place < len(known) else (0,) * (len(truths) - 1)
        kept = (1 << sequence.within + 1) - 1
        in_reach = kept >> sequence.apart << sequence.apart
        reached = truths[0] is True
        trails: list[int] = []
        for trail, truth in zip(before, truths[1:], strict=True):
            now = (trail << 1 | reached) & kept
            trails.append(now)
            reached = truth is True and now & in_reach != 0
        self._trails[place] = tuple(trails)
        # What the last step says is known can settle it: a sequence ends with it.
        return True if reached else None if None in truths and truths[-1] is not False else False

    def _leaf(self, leaf: Leaf) -> Truth:
        if isinstance(leaf, AtPrice):
            return self._at_price(leaf)
        if isinstance(leaf, AtZone):
            return self._at_zone(leaf)
        if isinstance(leaf, TimeWindow | SessionWindow):
            return self._in_time(leaf)
        left, right = self._number(leaf.left), self._number(leaf.right)
        if isinstance(leaf, Cross):
            return self._cross(leaf, (left, right))
        if isinstance(leaf, Compare):
            if left is None or right is None:
                return None
            return left > right if leaf.kind == "above" else left < right
        distance = self._distance(leaf)
        if left is None or right is None or distance is None:
            return None
        return abs(left - right) <= distance + self._slack

    def _cross(self, leaf: Cross, now: Two) -> Truth:
        before = self._before(now)
        left, right = now
        if left is None or right is None or before[0] is None or before[1] is None:
            return None
        if not isinstance(leaf.left, Number):
            self.operands[f"{leaf.left.label} before"] = before[0]
        if leaf.kind == "crosses_above":
            return before[0] <= before[1] and left > right
        return before[0] >= before[1] and left < right

    def _at_price(self, leaf: AtPrice) -> Truth:
        level, distance = self._number(leaf.level), self._distance(leaf)
        high, low, close = (self._part(part) for part in ("high", "low", "close"))
        if level is None or distance is None:
            if leaf.kind.startswith("breaks"):
                self._before((None, None))
            return None
        reach = distance - self._slack
        match leaf.kind:
            case "touches":
                reach = distance + self._slack
                return low - reach <= level <= high + reach
            case "sweeps_above":
                return high >= level + reach and close < level
            case "sweeps_below":
                return low <= level - reach and close > level
            case "breaks_above":
                now = (close, level + reach)
            case _:
                now = (-close, reach - level)
        before = self._before(now)
        if before[0] is None or before[1] is None:
            return None
        return before[0] < before[1] and now[0] >= now[1]

    def _at_zone(self, leaf: AtZone) -> Truth:
        left = self._number(leaf.left)
        zones = self._sight.zones(leaf.timeframe)
        if zones is None:
            where = "" if leaf.timeframe is None else f"{leaf.timeframe} "
            self.missing.append(f"{where}zones")
        inside: Truth = None
        if left is not None and zones is not None:
            meant = [zone for zone in zones if leaf.names(zone.key, zone.status)]
            met = [
                zone for zone in meant if zone.low - self._slack <= left <= zone.high + self._slack
            ]
            inside = bool(met)
            self._meet(met)
        if leaf.kind == "inside":
            return inside
        was, _ = self._before((None if inside is None else float(inside), None))
        if inside is None or was is None:
            return None
        return inside and not was if leaf.kind == "enters" else bool(was) and not inside

    def _meet(self, met: list[SeenZone]) -> None:
        if met and self.zone is None:
            self.zone = max(met, key=lambda zone: zone.formed_at)
            self.operands |= {"zone low": self.zone.low, "zone high": self.zone.high}

    def _in_time(self, leaf: TimeWindow | SessionWindow) -> Truth:
        held = leaf.holds(self._sight.moment, self._sight.session)
        if held is None:
            self.missing.append("session")
        return held

    def _before(self, now: Two) -> Two:
        """What stood here at the last look; what stands here now is kept for the next."""
        place = len(self._pairs)
        self._pairs.append(now)
        known = self._past.pairs
        return known[place] if place < len(known) else (None, None)

    def _distance(self, leaf: Within | AtPrice) -> float | None:
        if leaf.ticks is not None:
            return leaf.ticks * self._sight.tick
        assert leaf.of is not None
        assert leaf.times is not None
        distance = self._number(leaf.of)
        return None if distance is None else leaf.times * distance

    @property
    def _slack(self) -> float:
        return TOLERANCE_TICKS * self._sight.tick

    def _part(self, part: str) -> float:
        number = self._sight.number(CandlePart(kind="candle", part=part))  # type: ignore[arg-type]
        assert number is not None, "the candle that is decided on has all its parts"
        self.operands[part] = number
        return number

    def _number(self, series: Series) -> float | None:
        if isinstance(series, Number):
            return series.number
        number = self._sight.number(series)
        if number is None:
            absence = self._sight.absence(series)
            if absence not in self.missing:
                self.missing.append(absence)
        else:
            self.operands[series.label] = number
        return number
