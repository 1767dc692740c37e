"""What Twelve Data answers, read: candles, errors on HTTP 200, errors of one symbol in a batch.

One symbol is answered by ``{"meta": {...}, "values": [{"datetime": "2021-09-16 15:59:00", "open":
"148.73500", "high": ..., "low": ..., "close": ..., "volume": "624277"}], "status": "ok"}``, several
by such objects under their names, and an error by ``{"code": 429, "message": ..., "status":
"error"}`` in the place of either, with whatever HTTP status.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.asking import Answer, CallFault, Given, ProviderFault, Refused, Reply
from shared.events.base import micros

_OF_THE_DAY = "for the day"
_NOTHING_THERE = "no data is available"
_SHOWN = 80
_PRICES = ("open", "high", "low", "close")
# Codes that speak of the symbol asked for, not of the asking.
_SYMBOL_CODES = (400, 403, 404, 414)
_LIMIT, _NO_KEY = 429, 401
_MINUTE_S, _DAY_S = 60.0, 86_400.0
_OK, _ERROR_FROM = 200, 400


def read(
    status: int, retry_after: str | None, body: bytes, names: Sequence[str]
) -> Mapping[str, Reply]:
    """The reply for each name that was asked for.

    Raises:
        ProviderFault: the answer speaks of the call as a whole.
    """
    if status == _LIMIT:
        raise ProviderFault("limit", _told(status, body), _seconds(retry_after, body))
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderFault(_kind(status), f"no JSON: {_told(status, body)}") from None
    if not isinstance(parsed, dict):
        raise ProviderFault("body", f"no object: {_told(status, body)}")
    if _is_error(parsed) or status >= _ERROR_FROM:
        return dict.fromkeys(names, _refusal(parsed, status, body))
    if len(names) == 1 and names[0] not in parsed:
        return {names[0]: _one(parsed)}
    return {name: _one(parsed.get(name)) for name in names}


def _one(part: Any) -> Reply:
    if not isinstance(part, dict):
        return Refused("it is not in the answer", lasting=False)
    if _is_error(part):
        return _refused_alone(part)
    values = part.get("values")
    if not isinstance(values, list):
        return Refused("the answer has no values", lasting=False)
    candles = [_candle(row) for row in values]
    given = tuple(candle for candle in candles if candle is not None)
    newest = max((candle.open_at for candle in given), default=None)
    return Answer(given, newest, len(candles) - len(given))


def _candle(row: Any) -> Given | None:
    """The row's candle; None where it has no time or no price in it."""
    try:
        opened = datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC)
        first, high, low, last = (float(row[name]) for name in _PRICES)
        volume = row.get("volume")
        size = 0.0 if volume is None else float(volume)
        return Given(micros(opened), first, high, low, last, size)
    except (KeyError, TypeError, ValueError):
        return None


def _is_error(part: Mapping[str, Any]) -> bool:
    return part.get("status") == "error"


def _refusal(part: Mapping[str, Any], status: int, body: bytes) -> Reply:
    """What an error envelope means for the symbols asked for.

    Raises:
        ProviderFault: it means the call and not the symbols.
    """
    code, message = part.get("code", status), str(part.get("message", _told(status, body)))
    if code == _LIMIT:
        raise ProviderFault("limit", message, _wait_s(message))
    if _NOTHING_THERE in message.lower():
        return Answer(())
    if code in _SYMBOL_CODES:
        return Refused(message)
    raise ProviderFault("key" if code == _NO_KEY else "http", f"code {code}: {message}")


def _refused_alone(part: Mapping[str, Any]) -> Reply:
    """The same of one symbol in a batch: the others' candles are none the worse for it."""
    try:
        return _refusal(part, _OK, b"")
    except ProviderFault as fault:
        return Refused(str(fault), lasting=False)


def _seconds(retry_after: str | None, body: bytes) -> float:
    """When to come again: the header's word if it is a number, else what the text says."""
    if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    return _wait_s(body.decode("utf-8", "replace"))


def _wait_s(message: str) -> float:
    return _DAY_S if _OF_THE_DAY in message else _MINUTE_S


def _kind(status: int) -> CallFault:
    return "http" if status >= _ERROR_FROM else "body"


def _told(status: int, body: bytes) -> str:
    text = " ".join(body[: 4 * _SHOWN].decode("utf-8", "replace").split())
    return f"HTTP {status} {text[:_SHOWN]!r}"
