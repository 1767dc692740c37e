"""A rule set as rows, in the words that users have queries for."""

from typing import Any

from services.signals.adapters.rule_rows import rule_rows, symbol_rows
from services.signals.domain.rules import RuleSet


def rule_set(*conditions: Any, **fields: Any) -> RuleSet:
    """A set of candle rules on 15m."""
    rules = [
        {
            "name": f"r{number}",
            "when": {
                "kind": "candle",
                "timeframe": "15m",
                "direction": "long",
                "condition": condition,
            },
        }
        for number, condition in enumerate(conditions)
    ]
    return RuleSet.model_validate({"name": "mine", "rules": rules, **fields})


ABOVE = {"kind": "above", "left": "close", "right": "swing.high"}
OTHER = {"kind": "below", "left": "close of VIX", "right": "swing.low of VIX"}
CORRELATED = {
    "kind": "above",
    "left": {"kind": "correlation", "symbol": "VIX", "window": 20, "of": "returns"},
    "right": 0.7,
}


def words(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(
        row[name] for name in ("rule_type", "parameter", "symbol", "correlation_threshold")
    )


def test_rules_are_told_in_the_platforms_words() -> None:
    """Above SH, another symbol's below SL, a correlation with its threshold; else the kind."""
    rows = rule_rows(rule_set(ABOVE, OTHER, CORRELATED, {**ABOVE, "right": 5}))
    assert [words(row) for row in rows] == [
        ("PriceAbove", "SH", None, None),
        ("PriceBelow", "SL", "VIX", None),
        ("Correlation", None, "VIX", 0.7),
        ("Candle", None, None, None),
    ]
    assert [row["place"] for row in rows] == [0, 1, 2, 3]


def test_primary_symbols_are_those_that_have_signals() -> None:
    """The others are only compared with."""
    rows = symbol_rows(rule_set(ABOVE, OTHER, symbols=["MES"]))
    assert [(row["symbol"], row["is_primary"], row["timeframe"]) for row in rows] == [
        ("MES", True, "15min"),
        ("VIX", False, "15min"),
    ]
