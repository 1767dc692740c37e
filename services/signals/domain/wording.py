"""The sentence that says why a signal was generated."""

import re

from services.signals.domain.moves import BELOW, Hit
from shared.market.timeframes import Timeframe

_PERIODS = {
    "previous_day": "yesterday's",
    "previous_week": "last week's",
    "previous_month": "last month's",
}
_PIVOT = re.compile(r"pivot\.(?P<kind>[a-z]+)\.(?P<name>[a-z0-9_]+)")
_GAP = "fvg."
_WAYS = {
    "touch": "{symbol} touched {level} from {side} at {price}",
    "break": "{symbol} broke {level} {way} at {price}",
    "enter": "{symbol} entered the {level} from {side} at {price}",
    "leave": "{symbol} left the {level} {way} at {price}",
    "retest": "{symbol} came back to the {level} from {side} at {price}",
    "sweep": "{symbol} swept {level} {way} to {extreme} and was back at {price} after {outside}",
}


def level_words(key: str, timeframe: Timeframe) -> str:
    """A level's key as people say it: ``previous_day.high`` is yesterday's high."""
    period, _, name = key.partition(".")
    if period in _PERIODS:
        return f"{_PERIODS[period]} {name}"
    if pivot := _PIVOT.fullmatch(key):
        kind = "" if pivot["kind"] == "classic" else f"{pivot['kind'].capitalize()} "
        return f"{kind}pivot {pivot['name'].upper()}"
    if key.startswith(_GAP):
        return f"{timeframe} {key.removeprefix(_GAP)} fair value gap"
    return f"{timeframe} {key.replace('.', ' ').replace('_', ' ')}"


def sentence(hit: Hit, symbol: str, level: str, decimals: int) -> str:
    """One line: who did what at which level, from where, at which price.

    ``level`` is the level in words; prices are shown with the instrument's decimals.
    """
    numbers = hit.operands
    text = _WAYS[hit.action].format(
        symbol=symbol,
        level=f"{level} {numbers['level']:.{decimals}f}",
        side="below" if hit.side == BELOW else "above",
        way="upwards" if hit.side == BELOW else "downwards",
        price=f"{numbers['price']:.{decimals}f}",
        extreme=f"{numbers.get('extreme', 0):.{decimals}f}",
        outside=duration(numbers.get("outside_s", 0)),
    )
    if hit.action == "break" and hit.gap:
        text += f", in a gap from {numbers['previous_price']:.{decimals}f}"
    return text


def duration(seconds: float) -> str:
    """``42 s``, ``1.5 s``, ``5 min``, ``1 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
