"""Distances in average true ranges, worked out in ticks whenever a new range is known.

What a pattern needs before it can fire is kept here: its range, and a level or zone to stand at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from services.signals.domain.book import ActiveRule
from services.signals.domain.conditions import AtClose
from services.signals.domain.kinds import AtLevels, AtZones, Pattern, When
from services.signals.domain.names import matches
from services.signals.domain.posts import Levels, Placed
from services.signals.domain.rules import Rule
from services.signals.domain.series import Reading
from shared.events import LevelComputed
from shared.events.base import Value

_SUFFIX = "_atr"
Model = TypeVar("Model", bound=Value)


class Ranges:
    """The last average true ranges that rules measure with, and those rules in ticks.

    A distance is its share of the range, rounded to whole ticks, or the ticks beside it where
    those are more. So it changes with a candle of the range's timeframe, and only by whole ticks.

    ``waiting`` names by rule the range that is not known yet, and the levels or zones of which
    nobody has told one since the rule came: perhaps nobody computes them in that timeframe.
    """

    __slots__ = ("_known", "_measuring", "_met", "_plain", "waiting")

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._measuring: dict[str, Reading] = {}
        self._plain: tuple[ActiveRule, ...] = ()
        self._met: set[str] = set()
        self.waiting: dict[str, list[str]] = {}

    def set_rules(self, rules: Iterable[ActiveRule]) -> None:
        """The rules from here on; candle rules say their own distances and are left out."""
        self._plain = tuple(one for one in rules if not isinstance(one.rule.when, AtClose))
        self._measuring = {
            active.label: active.rule.atr
            for active in self._plain
            if isinstance(active.rule.atr, Reading) and _measures(active.rule)
        }
        wanted = {atr.label for atr in self._measuring.values()}
        self._known = {label: known for label, known in self._known.items() if label in wanted}
        self._met &= {active.label for active in self._plain}

    def read(self, computed: LevelComputed) -> bool:
        """Take a timeframe's reading in; whether a range in it is news."""
        news = False
        for atr in self._measuring.values():
            found = computed.values.get(atr.name)
            if atr.timeframe == computed.timeframe and found is not None:
                news |= self._known.get(atr.label) != found
                self._known[atr.label] = found
        return news

    def meet(self, levels: Levels) -> None:
        """Note the rules of which a level or zone is there."""
        for active in self._plain:
            if active.label not in self._met:
                when = active.rule.when
                if any(_is_named(when, one) for one in levels.get(when.timeframe, ())):
                    self._met.add(active.label)

    def in_ticks(self, tick: float) -> tuple[ActiveRule, ...]:
        """The rules with all distances in ticks; those whose range is not known wait."""
        rules = []
        self.waiting = {
            one.label: [_named(one.rule.when)] for one in self._plain if one.label not in self._met
        }
        for active in self._plain:
            atr = self._measuring.get(active.label)
            if atr is None:
                rules.append(active)
            elif (known := self._known.get(atr.label)) is None:
                self.waiting[active.label] = [atr.label, *self.waiting.get(active.label, ())]
            else:
                rules.append(_measured(active, known, tick))
        return tuple(rules)

    def as_measured(self, label: str, atr: float | None, tick: float) -> ActiveRule | None:
        """A rule as it was worked out with this range, if it is still in force."""
        found = next((one for one in self._plain if one.label == label), None)
        return found if found is None or atr is None else _measured(found, atr, tick)

    def save(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {"known": self._known, "met": sorted(self._met)}

    def load(self, saved: dict[str, Any]) -> None:
        """Go on from what ``save`` gave; the rules come afterwards."""
        # Before rules were met the state was what is known alone.
        self._known = dict(saved["known"] if "met" in saved else saved)
        self._met = set(saved.get("met", ()))


def _is_named(when: When, level: Placed) -> bool:
    """Whether a rule names a level or zone, wherever it is in its life."""
    if isinstance(when, AtZones):
        return level.far is not None and matches(when.zones, level.key)
    return isinstance(when, AtLevels) and level.far is None and when.names(level.key)


def _named(when: When) -> str:
    """``15m level swing.high, swing.low``: what a rule stands at, in words."""
    if isinstance(when, AtZones):
        return f"{when.timeframe} zone {', '.join(when.zones)}"
    assert isinstance(when, AtLevels), when.kind
    return f"{when.timeframe} level {', '.join(when.levels)}"


def _measures(rule: Rule) -> bool:
    return bool(_given(rule.when) or _given(rule.life))


def _given(model: Value) -> dict[str, float]:
    """The distances of a model that are given in ranges, by the name of the ticks beside them."""
    return {
        f"{name.removesuffix(_SUFFIX)}_ticks": value
        for name, value in model.__dict__.items()
        if name.endswith(_SUFFIX) and value is not None
    }


def _measured(active: ActiveRule, atr: float, tick: float) -> ActiveRule:
    return replace(active, rule=_resolved(active.rule, atr / tick), atr=atr)


def _resolved(rule: Rule, range_ticks: float) -> Rule:
    when = rule.when
    assert not isinstance(when, AtClose)
    when = _in_ticks(when, range_ticks)
    life = _in_ticks(rule.life, range_ticks)
    life = life.model_copy(update={"rearm_ticks": max(life.rearm_ticks, reach(when) + 1)})
    return rule.model_copy(update={"when": when, "life": life})


def _in_ticks(model: Model, range_ticks: float) -> Model:
    changes: Mapping[str, Any] = {
        name: max(getattr(model, name), round(share * range_ticks))
        for name, share in _given(model).items()
    }
    return model.model_copy(update=changes)


def reach(when: Pattern) -> int:
    """How near to the level a firing can be, in ticks."""
    names = ("within_ticks", "through_ticks", "back_ticks")
    return max(getattr(when, name, 0) for name in names)
