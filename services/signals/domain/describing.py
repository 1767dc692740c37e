"""A condition in words, and the operand that its signal is named after."""

from collections.abc import Iterator, Mapping

from services.signals.domain.conditions import (
    AtPrice,
    AtZone,
    Condition,
    Junction,
    Leaf,
    Negation,
    Sequence,
    Within,
    leaves,
    series_of,
)
from services.signals.domain.hours import SessionWindow, TimeWindow
from services.signals.domain.series import CandlePart, LevelPrice, Number, Read, Series, ZoneEdge
from services.signals.domain.truth import Evaluation
from services.signals.domain.wording import duration

Operands = Mapping[str, float]
_WORDS = {
    "above": "above",
    "below": "below",
    "crosses_above": "crossed above",
    "crosses_below": "crossed below",
    "touches": "touched",
    "breaks_above": "broke above",
    "breaks_below": "broke below",
    "sweeps_above": "swept above",
    "sweeps_below": "swept below",
    "inside": "inside",
    "enters": "entered",
    "leaves": "left",
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def described(condition: Condition, operands: Operands, decimals: int) -> str:
    """The condition in words, with the numbers that it was decided on."""
    if isinstance(condition, Junction):
        word = " and " if condition.kind == "all" else " or "
        return word.join(described(part, operands, decimals) for part in condition.conditions)
    if isinstance(condition, Negation):
        return f"not ({described(condition.condition, operands, decimals)})"
    if isinstance(condition, Sequence):
        return _sequence(condition, operands, decimals)
    if isinstance(condition, TimeWindow | SessionWindow):
        return _time(condition)
    return _leaf(condition, operands, decimals)


def named_after(condition: Condition, seen: Evaluation, close: float) -> tuple[str, float]:
    """What a condition's signal gives as its level, and the price of it.

    The zone that was met, else the first level that was looked at, else the first other price of
    the symbol's own; else the first series with the close as its price.
    """
    if seen.zone is not None:
        edges = (seen.zone.low, seen.zone.high)
        return seen.zone.key, min(edges, key=lambda edge: abs(edge - close))
    found = [one for leaf in leaves(condition) for one in series_of(leaf)]
    prices = [one for one in found if one.symbol is None and one.label in seen.operands]
    for wanted in (_is_level, _is_price):
        for series in filter(wanted, prices):
            name = series.text.removeprefix("level:").removeprefix("zone:")
            return name, seen.operands[series.label]
    others = [one.text for one in found if not isinstance(one, CandlePart)]
    return others[0] if others else "close", close


def _is_level(series: Read) -> bool:
    return isinstance(series, LevelPrice | ZoneEdge)


def _is_price(series: Read) -> bool:
    return series.unit == "price" and not isinstance(series, CandlePart)


def _sequence(sequence: Sequence, operands: Operands, decimals: int) -> str:
    """The numbers at hand are those of the last step; what went before is told without."""
    *earlier, last = sequence.steps
    parts = [described(step, {}, decimals) for step in earlier]
    parts.append(described(last, operands, decimals))
    candles = "candle" if sequence.within == 1 else "candles"
    return f"{', then '.join(parts)} within {sequence.within} {candles}"


def _leaf(leaf: Leaf, operands: Operands, decimals: int) -> str:
    assert not isinstance(leaf, TimeWindow | SessionWindow)
    verb = "within" if isinstance(leaf, Within) else _WORDS[leaf.kind]
    if isinstance(leaf, AtZone):
        left = _shown(leaf.left, operands, decimals)
        return f"{left} {verb} {_zone(leaf, operands, decimals)}"
    if isinstance(leaf, AtPrice):
        by = _near(leaf, operands, decimals) if leaf.ticks != 0 else ""
        return f"{verb} {_shown(leaf.level, operands, decimals)}{by and f' by {by}'}"
    left, right = (_shown(one, operands, decimals) for one in (leaf.left, leaf.right))
    if isinstance(leaf, Within):
        return f"{left} within {_near(leaf, operands, decimals)} of {right}"
    return f"{left} {verb} {right}"


def _zone(leaf: AtZone, operands: Operands, decimals: int) -> str:
    name = " or ".join(leaf.zones)
    if "zone low" not in operands or leaf.kind == "leaves":
        return name
    low, high = operands["zone low"], operands["zone high"]
    return f"{name} {low:.{decimals}f} to {high:.{decimals}f}"


def _near(leaf: Within | AtPrice, operands: Operands, decimals: int) -> str:
    if leaf.of is None:
        return f"{leaf.ticks} ticks"
    return f"{leaf.times:g} times {_shown(leaf.of, operands, decimals)}"


def _time(window: TimeWindow | SessionWindow) -> str:
    if isinstance(window, SessionWindow):
        return "in " + " and ".join(_stretches(window))
    days = "" if len(window.days) == 7 else f" {', '.join(_DAYS[day - 1] for day in window.days)}"
    return f"between {window.start} and {window.end} {window.zone}{days}"


def _stretches(window: SessionWindow) -> Iterator[str]:
    if window.after_s is not None:
        yield f"the session after its first {duration(window.after_s)}"
    if window.first_s is not None:
        yield f"the session's first {duration(window.first_s)}"
    if window.last_s is not None:
        yield f"the session's last {duration(window.last_s)}"


def _shown(series: Series, operands: Operands, decimals: int) -> str:
    if isinstance(series, Number):
        return f"{series.number:g}"
    number = operands.get(series.label)
    if number is None:
        return series.label
    # Another symbol's prices have decimals of their own.
    as_price = series.unit in ("price", "distance") and series.symbol is None
    return f"{series.label} {number:.{decimals}f}" if as_price else f"{series.label} {number:.6g}"
