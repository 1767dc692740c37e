"""Bodies as providers send them, written by hand, and the asking for them."""

import json
from collections.abc import Sequence
from typing import Any

from services.ingest.domain.asking import Ask
from shared.events.base import moment
from tests.ingest.lines import at

Prices = tuple[float, float, float, float]

HTML = b'<!DOCTYPE html>\n<html lang="en"><head><title>Sorry</title></head></html>'


def ask(symbol: str, name: str, since: str = "14:00", until: str = "14:10") -> Ask:
    return Ask(symbol, name, "1m", at(since), at(until))


def twelve_row(when: str, prices: Prices) -> dict[str, str]:
    names = ("open", "high", "low", "close")
    stamp = f"{moment(at(when)):%Y-%m-%d %H:%M:%S}"
    return {"datetime": stamp, **{n: f"{p:.5f}" for n, p in zip(names, prices, strict=True)}}


def twelve_series(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    meta = {"symbol": "EUR/USD", "interval": "1min", "type": "Physical Currency"}
    return {"meta": meta, "values": list(rows), "status": "ok"}


def twelve_error(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "status": "error"}


def chart(rows: Sequence[tuple[int, Sequence[float | None], float | None]], **meta: Any) -> Any:
    """Yahoo's chart of rows (seconds since 1970, prices, volume)."""
    columns = ("open", "high", "low", "close")
    series: dict[str, list[float | None]] = {
        name: [prices[i] for _, prices, _ in rows] for i, name in enumerate(columns)
    }
    series["volume"] = [volume for _, _, volume in rows]
    result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [series]}}
    if rows:
        result["timestamp"] = [when for when, _, _ in rows]
    else:
        result["indicators"] = {"quote": [{}]}
    return {"chart": {"result": [result], "error": None}}


def as_body(value: Any) -> bytes:
    return json.dumps(value).encode()
