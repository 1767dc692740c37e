"""A rule set as rows in the words that users know: primary symbols, PriceAbove, SH and SL."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.signals.domain.bodies import tables_in
from services.signals.domain.rules import RuleSet

_FRAMES = {"1m": "1min", "5m": "5min", "15m": "15min", "1h": "1hour", "4h": "4hour", "1d": "1day"}
_PRICE = {"above": "PriceAbove", "below": "PriceBelow"}
_SWINGS = {"swing.high": "SH", "swing.low": "SL"}
_CORRELATION = "Correlation"

Row = dict[str, Any]


def symbol_rows(rule_set: RuleSet) -> list[Row]:
    """The symbols that have signals, and those that they are compared with."""
    body = rule_set.body
    frames = [rule["when"].get("timeframe", "15m") for rule in body["rules"]]
    timeframe = _FRAMES.get(frames[0], frames[0])
    primary = list(body["symbols"])
    others = {
        part["symbol"]
        for rule in body["rules"]
        for part in tables_in(rule["when"])
        if isinstance(part.get("symbol"), str)
    }
    return [
        {"symbol": symbol, "is_primary": symbol in primary, "timeframe": timeframe}
        for symbol in (*primary, *sorted(others - {*primary}))
    ]


def rule_rows(rule_set: RuleSet) -> list[Row]:
    """One row a rule, in order; the words tell of its first condition that has such words."""
    return [
        {
            "place": place,
            "name": rule.name,
            "version": rule.version,
            "body": orjson.dumps(body).decode(),
            **_words(body["when"]),
        }
        for place, (rule, body) in enumerate(
            zip(rule_set.rules, rule_set.body["rules"], strict=True)
        )
    ]


def _words(when: Mapping[str, Any]) -> Row:
    found: Row = {"rule_type": str(when["kind"]).title()[:20]}
    found |= dict.fromkeys(("symbol", "parameter", "correlation_threshold"))
    for part in tables_in(when):
        left, right = (part.get(side) or {} for side in ("left", "right"))
        if part.get("kind") not in _PRICE or not isinstance(right, Mapping):
            continue
        if left.get("kind") == "correlation":
            words = {
                "rule_type": _CORRELATION,
                "symbol": left["symbol"],
                "correlation_threshold": right.get("number"),
            }
            return found | words
        if right.get("name") in _SWINGS:
            words = {
                "rule_type": _PRICE[str(part["kind"])],
                "symbol": left.get("symbol"),
                "parameter": _SWINGS[right["name"]],
            }
            return found | words
    return found
