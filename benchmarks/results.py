"""What a benchmark comes to: rows, the file they are written to, and a table for people."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.json"
_NAMES = ("name", "value", "unit", "anchor", "ratio", "goal", "met")

Row = dict[str, Any]
"""``name``, ``value``, ``unit``, ``anchor``, ``ratio``, ``goal``, ``met``; None: not known."""

Bench = Callable[[bool], list[Row]]
"""Measures rows; told whether to be quick."""


class NotHere(Exception):
    """A benchmark cannot run on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound, from above or from below."""

    bound: float
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        """Whether a value keeps it."""
        return value <= self.bound if self.at_most else value >= self.bound


def row(name: str, value: float, unit: str, goal: Goal | None = None) -> Row:
    """A figure that stands alone; its ratio says how much better than its goal it is."""
    if goal is None:
        return _row(name, _three(value), unit)
    ratio = goal.bound / value if goal.at_most else value / goal.bound
    return _row(
        name, _three(value), unit, None, _three(ratio), goal.bound, goal.is_met(value)
    )  # fmt: skip


def against(name: str, value: float, unit: str, anchor: float, goal: Goal) -> Row:
    """A figure over another of the same run; the goal is one for that ratio."""
    ratio = value / anchor
    return _row(
        name, _three(value), unit, _three(anchor), _three(ratio), goal.bound, goal.is_met(ratio)
    )  # fmt: skip


def absent(name: str, reason: str) -> Row:
    """A figure that could not be measured, and why."""
    return _row(name, None, f"not measured: {reason}")


def write(rows: Sequence[Row]) -> None:
    """Keep the rows in place of an earlier run's."""
    RESULTS.write_text(json.dumps(list(rows), indent=1) + "\n", "utf-8")


def table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    lines = [["name", "value", "anchor", "ratio", "goal", "met", "unit"]]
    for one in rows:
        numbers = [_shown(one[key]) for key in ("value", "anchor", "ratio", "goal")]
        met = {True: "yes", False: "NO", None: "-"}[one["met"]]
        lines.append([one["name"], *numbers, met, one["unit"]])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, unit = line
    middle = [cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=False)]
    return "  ".join([name.ljust(widths[0]), *middle, unit])


def _row(*values: Any) -> Row:
    return dict.fromkeys(_NAMES) | dict(zip(_NAMES, values, strict=False))


def _three(number: float) -> float:
    """Three digits that count; above a thousand whole numbers."""
    return float(round(number)) if abs(number) >= 1000 else float(f"{number:.3g}")


def _shown(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}" if abs(number) >= 1000 else f"{number:g}"
