"""Conditions that nothing forbids and that can never hold: a warning to whoever saves them."""

from collections.abc import Iterator

from services.signals.domain.conditions import AtClose, AtPrice, Compare, Cross, Leaf, leaves
from services.signals.domain.rules import RuleSet
from services.signals.domain.series import CandlePart, LevelPrice, Series
from shared.market.timeframes import TIMEFRAMES

# A close beyond one of these ends it, and the candle's own reading no longer has it.
_ENDED_BY_CLOSES = ("swing", "atr_stop")
_UPPER = (".high", ".upper")


def dead_parts(rule_set: RuleSet) -> Iterator[str]:
    """A line for each part of a rule that waits for a close beyond a level that it ends."""
    for rule in rule_set.rules:
        when = rule.when
        for leaf in leaves(when.condition) if isinstance(when, AtClose) else ():
            level = _closed_beyond(leaf)
            if isinstance(when, AtClose) and level is not None and _is_read_anew(level, when):
                yield (
                    f"rule {rule.name}: no candle closes beyond {level.text}, for a close beyond "
                    f"it ends it; write {level.text.removeprefix('level:')}"
                )


def _closed_beyond(leaf: Leaf) -> LevelPrice | None:
    """The level that a part wants the close to be beyond."""
    level: Series
    if isinstance(leaf, AtPrice) and leaf.kind.startswith("breaks"):
        level = leaf.level
    elif isinstance(leaf, Compare | Cross) and leaf.left == CandlePart(kind="candle", part="close"):
        level = leaf.right
    else:
        return None
    if not isinstance(level, LevelPrice) or level.symbol is not None:
        return None
    wanted = leaf.kind.endswith("above") == level.name.endswith(_UPPER)
    return level if wanted and level.name.startswith(_ENDED_BY_CLOSES) else None


def _is_read_anew(level: LevelPrice, when: AtClose) -> bool:
    """Whether the level is read at each close of the rule: not one of a longer timeframe."""
    frame = level.timeframe or when.timeframe
    return TIMEFRAMES.index(frame) <= TIMEFRAMES.index(when.timeframe)
