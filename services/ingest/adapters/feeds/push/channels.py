"""Prices that another program publishes on Redis channels, such as ``ticker:nifty:underlying``.

A message is a JSON object, a list of such, or an object with a list in one of its members, as in
``{"symbol": "NIFTY", "ltp": 24512.3, "timestamp": 1763700301}`` and ``{"options":
[{"tradingsymbol": "NIFTY25NOV24500CE", "last_price": 101.5, "ts": "2025-11-21T05:45:01Z"}]}``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.ingest.sections import ChannelField, ChannelNames

_FIELDS: tuple[ChannelField, ...] = ("symbol", "at", "price", "bid", "ask", "size")
# What messages call things where the settings do not say so: the first that is there counts.
_USUAL: Mapping[ChannelField, Sequence[str]] = {
    "symbol": ("symbol", "tradingsymbol", "instrument"),
    "at": ("at", "timestamp", "ts", "time"),
    "price": ("price", "ltp", "last_price", "close"),
    "bid": ("bid",),
    "ask": ("ask",),
    "size": ("size", "last_quantity", "qty"),
    "items": ("ticks", "options", "data"),
}


class BadMessage(Exception):
    """A message that holds no prices; the reason is its text."""


def rows_of(message: str | bytes, names: ChannelNames) -> list[dict[str, Any]]:
    """The ticks in a message, under our names; what they do not hold is left out.

    Raises:
        BadMessage: it is no JSON, or nothing in it is an object.
    """
    try:
        content = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise BadMessage(f"no JSON: {error}") from None
    items = content if isinstance(content, list) else _nested(content, _called("items", names))
    if not items or not all(isinstance(item, dict) for item in items):
        raise BadMessage(f"neither an object nor a list of such: {str(content)[:80]}")
    # What stands beside a list, its time for instance, counts for all of it.
    outer = _named(content, names) if isinstance(content, dict) else {}
    default = {"symbol": names["default_symbol"]} if "default_symbol" in names else {}
    return [{**default, **outer, **_named(item, names)} for item in items]


def _nested(content: object, places: Sequence[str]) -> list[Any]:
    if not isinstance(content, dict):
        return []
    lists = [content[place] for place in places if isinstance(content.get(place), list)]
    return lists[0] if lists else [content]


def _called(field: ChannelField, names: ChannelNames) -> Sequence[str]:
    return (names[field],) if field in names else _USUAL[field]


def _named(item: Mapping[str, Any], names: ChannelNames) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in _FIELDS:
        given = [item[name] for name in _called(field, names) if item.get(name) is not None]
        if given:
            found[field] = given[0]
    return found
