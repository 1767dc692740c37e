"""The rules in force on a partition, as the spine has told them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import orjson
from pydantic import ValidationError

from services.signals.domain.rules import Rule, RuleSet
from shared.events import Config
from shared.events.codec import first_reason


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule of a set in force; ``label`` is ``liquidity.previous_day_touch@1f2e3d4c``.

    Where the rule has distances in average true ranges, ``atr`` is the range that they were
    worked out with, and the rule's ticks are the outcome.
    """

    config: str
    rule: Rule
    version: str
    label: str
    signals_a_day_max: int
    expires: bool = True
    atr: float | None = None


class Book:
    """All rule sets in force, by name."""

    __slots__ = ("_active", "_sets")

    def __init__(self, sets: Iterable[RuleSet] = ()) -> None:
        self._sets: dict[str, RuleSet] = {}
        self._active: dict[str, tuple[ActiveRule, ...]] = {}
        for rule_set in sets:
            self._put(rule_set)

    def apply(self, config: Config) -> None:
        """Take a set in, in its new version, or out, where the body is empty.

        Raises:
            ValueError: the body is no rule set, or one of another name.
        """
        if not config.body:
            self._sets.pop(config.name, None)
            self._active.pop(config.name, None)
            return
        try:
            rule_set = RuleSet.model_validate(config.body)
        except ValidationError as error:
            raise ValueError(f"rule set {config.name}: {first_reason(error)}") from error
        if rule_set.name != config.name:
            raise ValueError(f"rule set {rule_set.name} came under the name {config.name}")
        self._put(rule_set)

    def rules_for(self, symbol: str) -> tuple[ActiveRule, ...]:
        """The symbol's rules, sets by name and rules as they stand in their set."""
        return tuple(
            active
            for name, rule_set in sorted(self._sets.items())
            if rule_set.covers(symbol)
            for active in self._active[name]
            if symbol not in active.rule.others
        )

    @property
    def sets(self) -> list[RuleSet]:
        """The sets in force, by name."""
        return [rule_set for _, rule_set in sorted(self._sets.items())]

    def save(self) -> str:
        """All sets as JSON text."""
        bodies = [rule_set.body for rule_set in self.sets]
        return orjson.dumps(bodies).decode()

    @classmethod
    def load(cls, text: str) -> Self:
        """The book that ``save`` wrote down."""
        return cls(RuleSet.model_validate(body) for body in orjson.loads(text))

    def _put(self, rule_set: RuleSet) -> None:
        self._sets[rule_set.name] = rule_set
        self._active[rule_set.name] = tuple(
            _active(rule_set, rule, rule.version) for rule in rule_set.rules
        )


def _active(rule_set: RuleSet, rule: Rule, version: str) -> ActiveRule:
    label = f"{rule_set.name}.{rule.name}@{version}"
    expires = rule_set.signal_type == "Intraday"
    return ActiveRule(rule_set.name, rule, version, label, rule_set.signals_a_day_max, expires)
