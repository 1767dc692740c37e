"""Candle rules of one symbol: decided at a close, once everything that it closed has been read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from services.signals.domain.arming import MICROS
from services.signals.domain.book import ActiveRule
from services.signals.domain.conditions import AtClose
from services.signals.domain.series import PARTS, Read
from services.signals.domain.truth import Evaluation, Truth, Two, described
from shared.events import Close, LevelComputed, SignalGenerated
from shared.events.base import stamp
from shared.events.candle import Origin
from shared.market.timeframes import Timeframe


@dataclass(slots=True)
class Page:
    """What is kept of a timeframe's last reading: the numbers that rules look at, by key."""

    pos: int
    at: int
    origin: Origin
    numbers: dict[str, float]


@dataclass(slots=True)
class Memory:
    """What a rule knows from its last look: its truth, both sides of its crosses, its firing."""

    truth: Truth = None
    fired_at: int | None = None
    pairs: tuple[Two, ...] = ()


class CandleRules:
    """Fires where a condition that did not hold at one candle holds at the next.

    Seeded and filled-in candles are looked at, so that the first live one finds the past in place,
    but nothing fires on them. ``waiting`` names the numbers that a rule has not got yet.
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
        self.waiting = {label: self.waiting[label] for label in labels if label in self.waiting}
        self._wanted = {}
        for _, when in self._rules:
            for timeframe, key in when.reads():
                self._wanted.setdefault(timeframe, set(PARTS)).add(key)
            self._wanted.setdefault(when.timeframe, set(PARTS))
        # What no rule looks at is forgotten at once, as a restart would forget it.
        self._pages = {at: page for at, page in self._pages.items() if at in self._wanted}

    def read(self, computed: LevelComputed) -> bool:
        """Take a timeframe's reading in, if a rule looks at it; whether one does."""
        wanted = self._wanted.get(computed.timeframe)
        if wanted is None:
            return False
        numbers = {part: getattr(computed.candle, part) for part in PARTS}
        numbers |= computed.values
        for level in sorted(computed.levels, key=lambda level: level.formed_at):
            numbers[f"level:{level.key}"] = level.price
        kept = {key: number for key, number in numbers.items() if key in wanted}
        self._pages[computed.timeframe] = Page(computed.pos, computed.at, computed.origin, kept)
        return True

    def concerns(self, close: Close) -> bool:
        """Whether a rule is decided on one of the candles that are over."""
        closed = {window.timeframe for window in close.windows}
        return any(when.timeframe in closed for _, when in self._rules)

    def decide(self, close: Close, tick: float) -> Iterator[tuple[ActiveRule, Evaluation]]:
        """The rules that fire at this close, in their order, with what they saw."""
        closed = {window.timeframe for window in close.windows}
        for active, when in self._rules:
            page = self._pages.get(when.timeframe)
            # A window without prices has no candle, and so no reading of this position.
            if when.timeframe in closed and page is not None and page.pos == close.pos:
                evaluation = self._look(active, when, page, tick)
                if evaluation is not None:
                    yield active, evaluation

    def signal(
        self, active: ActiveRule, evaluation: Evaluation, close: Close, decimals: int
    ) -> SignalGenerated:
        """The signal that tells of a rule that fired; its level is the candle's own close."""
        when = active.rule.when
        assert isinstance(when, AtClose)
        price = self._pages[when.timeframe].numbers["close"]
        text = described(when.condition, evaluation.operands, decimals)
        return SignalGenerated(
            symbol=close.symbol,
            at=close.at,
            pos=close.pos,
            config=active.config,
            rule=active.rule.name,
            rule_version=active.version,
            action="condition",
            direction=when.direction,
            timeframe=when.timeframe,
            level=f"close@{stamp(close.at)}",
            level_price=price,
            price=price,
            gap=False,
            operands={"close": price} | evaluation.operands,
            reason=f"{close.symbol} {when.timeframe} candle: {text}"[:400],
            expires_at=None,
            cause=f"{LevelComputed.TYPE}:{close.symbol}:{when.timeframe}:{stamp(close.at)}",
        )

    def save(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "pages": {
                timeframe: [page.pos, page.at, page.origin, page.numbers]
                for timeframe, page in self._pages.items()
            },
            "memories": {
                label: [memory.truth, memory.fired_at, memory.pairs]
                for label, memory in self._memories.items()
            },
            "waiting": self.waiting,
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what ``save`` gave; the rules come afterwards."""
        self._pages = {timeframe: Page(*page) for timeframe, page in saved["pages"].items()}
        self._memories = {
            label: Memory(truth, fired_at, tuple((left, right) for left, right in pairs))
            for label, (truth, fired_at, pairs) in saved["memories"].items()
        }
        self.waiting = saved["waiting"]

    def _look(
        self, active: ActiveRule, when: AtClose, page: Page, tick: float
    ) -> Evaluation | None:
        memory = self._memories[active.label]

        def look(series: Read) -> float | None:
            source = self._pages.get(series.timeframe or when.timeframe)
            return None if source is None else source.numbers.get(series.key)

        evaluation = Evaluation(look, memory.pairs, tick)
        was, memory.truth = memory.truth, evaluation.truth(when.condition)
        memory.pairs = tuple(evaluation.pairs)
        self._wait(active.label, evaluation.missing)
        if not (was is False and memory.truth and page.origin == "live"):
            return None
        cooldown = active.rule.life.cooldown_s * MICROS
        if memory.fired_at is not None and page.at - memory.fired_at < cooldown:
            return None
        memory.fired_at = page.at
        return evaluation

    def _wait(self, label: str, missing: list[str]) -> None:
        if self.waiting.get(label, []) != missing:
            self.changed = True
            self.waiting.pop(label, None)
            if missing:
                self.waiting[label] = missing
