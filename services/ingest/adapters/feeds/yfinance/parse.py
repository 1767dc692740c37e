"""What Yahoo's chart address answers, read.

``{"chart": {"result": [{"meta": {"regularMarketTime": 1619208003, ...}, "timestamp": [1618839000,
...], "indicators": {"quote": [{"open": [...], "high": [...], "low": [...], "close": [...],
"volume": [...]}]}}], "error": null}}``: times are seconds since 1970 by the opening, any value may
be null, ``timestamp`` is missing where there are no candles. An error stands in ``chart.error`` or
alone at the top, with whatever HTTP status; so may plain text or a page.
"""

import json
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, TypeGuard

from services.ingest.domain.asking import Answer, CallFault, Given, ProviderFault, Refused, Reply

_S = 1_000_000
_MINUTE_S = 60
_COLUMNS = ("open", "high", "low", "close", "volume")
_TOO_MANY = "too many requests"
_NOTHING_THERE = "data doesn't exist"
_NO_KEY = ("unauthorized", "invalid crumb", "invalid cookie")
_NOT_FOUND, _LIMIT, _ERROR_FROM, _BROKEN_FROM = 404, 429, 400, 500
# Statuses that speak of what was asked for.
_OF_THE_SYMBOL = (400, 404, 422)
_SHOWN = 80
# Beyond it is no price and no time, but Infinity and whole numbers that no float holds.
_LARGEST = 1e300


def read(status: int, retry_after: str | None, body: bytes) -> Reply:
    """The reply to the one symbol that was asked for.

    Raises:
        ProviderFault: the answer speaks of the call and not of the symbol.
    """
    text = body[: 4 * _SHOWN].decode("utf-8", "replace")
    if status == _LIMIT or text.strip().lower().startswith(_TOO_MANY):
        raise ProviderFault("limit", _told(status, text), _seconds(retry_after))
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        if status in _OF_THE_SYMBOL:
            return _refused(text.strip(), status)
        raise ProviderFault(_kind(status), f"no JSON: {_told(status, text)}") from None
    if not isinstance(parsed, dict):
        raise ProviderFault("body", f"no object: {_told(status, text)}")
    chart = parsed.get("chart", parsed.get("finance", parsed))
    error = chart.get("error") if isinstance(chart, dict) else None
    if isinstance(error, dict):
        return _refusal(error, status, retry_after)
    if status >= _ERROR_FROM:
        raise ProviderFault("http", _told(status, text))
    if not isinstance(chart, dict) or "result" not in chart:
        raise ProviderFault("body", f"no chart: {_told(status, text)}")
    results = chart["result"]
    return _candles(results[0]) if isinstance(results, list) and results else Answer(())


def _refusal(error: Mapping[str, Any], status: int, retry_after: str | None) -> Reply:
    code, described = str(error.get("code")), str(error.get("description") or error.get("code"))
    if _TOO_MANY in code.lower():
        raise ProviderFault("limit", described, _seconds(retry_after))
    if any(word in code.lower() for word in _NO_KEY):
        raise ProviderFault("key", described)
    if status >= _BROKEN_FROM:
        raise ProviderFault("http", described)
    return _refused(described, _NOT_FOUND if code.lower() == "not found" else status)


def _refused(reason: str, status: int) -> Reply:
    """Nothing of this symbol: for good, for now, or only because there was nothing to tell."""
    if _NOTHING_THERE in reason.lower():
        return Answer(())
    return Refused(reason[:_SHOWN], lasting=status == _NOT_FOUND)


def _candles(result: Any) -> Reply:
    """The candles of a result; one that is no result at all has none."""
    meta, times = _part(result, "meta"), _row(result, "timestamp")
    series = _row(_part(result, "indicators"), "quote")
    columns = _part({"first": series[0] if series else None}, "first")
    market = meta.get("regularMarketTime")
    newest: list[float] = [market] if _is_number(market) else []
    given, empty = [], 0
    for when, *values in zip_longest(times, *(_row(columns, name) for name in _COLUMNS)):
        if _is_number(when) and when % _MINUTE_S:
            # Not a candle but the last price, at its own time.
            newest.append(when)
        elif not _is_number(when) or not all(map(_is_number, values[:4])):
            empty += 1
        else:
            first, high, low, last = map(float, values[:4])
            given.append(Given(int(when) * _S, first, high, low, last, _size(values[4])))
    return Answer(tuple(given), int(max(newest)) * _S if newest else None, empty)


def _size(volume: Any) -> float:
    return float(volume) if _is_number(volume) else 0.0


def _part(whole: Any, name: str) -> Mapping[str, Any]:
    part = whole.get(name) if isinstance(whole, dict) else None
    return part if isinstance(part, dict) else {}


def _row(whole: Any, name: str) -> list[Any]:
    row = whole.get(name) if isinstance(whole, dict) else None
    return row if isinstance(row, list) else []


def _is_number(value: Any) -> TypeGuard[float]:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and abs(value) <= _LARGEST


def _seconds(retry_after: str | None) -> float | None:
    is_number = retry_after is not None and retry_after.isascii() and retry_after.isdigit()
    return float(retry_after) if is_number and retry_after is not None else None


def _kind(status: int) -> CallFault:
    return "http" if status >= _ERROR_FROM else "body"


def _told(status: int, text: str) -> str:
    return f"HTTP {status} {' '.join(text.split())[:_SHOWN]!r}"
