"""Which symbols are watched: the union of what people watch, as far as the budget goes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

LIST_NAME_MAX: Final = 60
NOBODY: Final = "nobody watches anything"
SWITCHED_OFF: Final = "switched off by an operator"

Problem = Callable[[str], str | None]
"""Why a symbol cannot be watched, or None."""


class Count(NamedTuple):
    """A symbol that active entries name: how many users' they are, and since when (µs).

    One that is not ``is_on`` was switched off for everybody by an operator.
    """

    symbol: str
    watchers: int
    since: int
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A symbol that people want and that is not watched."""

    symbol: str
    watchers: int
    reason: str


@dataclass(frozen=True, slots=True)
class Budget:
    """How many symbols may be watched, and which are where nobody says so."""

    symbols_max: int
    default: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is watched, most watched first, and what is left out.

    ``watchers`` counts the users of each; those of the default set have 0. ``fallback`` says why
    the default set is watched, if it is.
    """

    watchers: dict[str, int]
    left_out: tuple[LeftOut, ...] = ()
    fallback: str | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The watched symbols, most watched first."""
        return tuple(self.watchers)


def plan(counts: Iterable[Count], budget: Budget, problem: Problem) -> Plan:
    """What is to be watched of what people want; the default set where that is nothing.

    Most watched first; of equals the one that was wanted earlier, then by symbol, so that the
    same wishes always give the same plan and a newcomer drives nobody out.
    """
    ranked = sorted(counts, key=lambda one: (-one.watchers, one.since, one.symbol))
    watchers: dict[str, int] = {}
    left_out: list[LeftOut] = []
    for one in ranked:
        reason = problem(one.symbol) if one.is_on else SWITCHED_OFF
        if reason is None and len(watchers) >= budget.symbols_max:
            reason = f"more than {budget.symbols_max} symbols are wanted, and this one less often"
        if reason is None:
            watchers[one.symbol] = one.watchers
        else:
            left_out.append(LeftOut(one.symbol, one.watchers, reason))
    if watchers:
        return Plan(watchers, tuple(left_out))
    return Plan(_default(budget, problem), tuple(left_out), NOBODY)


def plan_blindly(known: Plan | None, budget: Budget, problem: Problem, reason: str) -> Plan:
    """What is to be watched while the watchlists cannot be read.

    The default set, and whatever was watched before as far as there is room: what people wanted a
    moment ago is the best guess at what they want now.
    """
    watchers = _default(budget, problem)
    for symbol, count in ({} if known is None else known.watchers).items():
        if symbol in watchers or len(watchers) < budget.symbols_max:
            watchers[symbol] = count
    return Plan(watchers, () if known is None else known.left_out, reason)


def _default(budget: Budget, problem: Problem) -> dict[str, int]:
    usable: Sequence[str] = [one for one in budget.default if problem(one) is None]
    return dict.fromkeys(usable[: budget.symbols_max], 0)
