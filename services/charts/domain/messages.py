"""The messages of ``/ws/market/{symbol}/{timeframe}``, built from the book. docs/charts.md is the
contract; ``full_update`` and ``candle_update`` hold every field that clients of old expect."""

from collections.abc import Sequence
from typing import Any, get_args

from services.charts.domain.book import Book, Key
from services.charts.domain.shapes import ShownCandle, ShownLevel, signal_of
from shared.events import AlertFired, SignalGenerated
from shared.events.signal import Action

PROTOCOL = 1
"""Raised when a field changes its meaning or goes; new fields and new types do not raise it."""

# What a snapshot begins with; after it a client keeps what it was told, so updates repeat less.
SIGNALS_AT_FIRST = 100
SIGNALS_REPEATED = 20
ALERTS_AT_FIRST = 50

Message = dict[str, Any]


def hello(book: Book, key: Key, ping_s: float) -> Message:
    """The first message: the protocol, what is watched, and how soon a ping is to be expected."""
    symbol, timeframe = key
    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "symbol": symbol,
        "timeframe": timeframe,
        "source": book.source(symbol),
        "ping_s": ping_s,
    }


def full_update(book: Book, key: Key, candle: ShownCandle | None) -> Message:
    """All that follows from a candle that has closed."""
    return _about(book, key, "full_update", candle) | {
        "signals": signals(book, key, SIGNALS_REPEATED),
        "levels": book.levels(key),
    }


def snapshot(
    book: Book, key: Key, candles: Sequence[ShownCandle], alerts_of: str | None
) -> Message:
    """A ``full_update`` that stands alone: with the closed candles to begin with, and the recent
    alerts of one symbol or of all."""
    return full_update(book, key, book.newest(key)) | {
        "snapshot": True,
        "signals": signals(book, key, SIGNALS_AT_FIRST),
        "candles": candles,
        "alerts": book.alerts(alerts_of, ALERTS_AT_FIRST),
        "decimals": book.summary(key[0]).decimals,
    }


def candle_update(book: Book, key: Key, candle: ShownCandle) -> Message:
    """One candle: the forming one, or one that has closed and is final."""
    return _about(book, key, "candle_update", candle)


def signal(event: SignalGenerated) -> Message:
    """A signal, at once; it is in the next ``full_update`` too."""
    return {"type": "signal", "signal": signal_of(event), "timestamp": event.at}


def alert(book: Book, event: AlertFired) -> Message:
    """An alert, at once."""
    return {"type": "alert", "alert": book.shown(event), "timestamp": event.at}


def ping(log_away: bool, market_at: int) -> Message:
    """Sign of life, and whether the log that all prices come from can be reached."""
    return {"type": "ping", "log": "away" if log_away else "ok", "timestamp": market_at}


def refusal(status: int, detail: str) -> Message:
    """Why a connection is closed right away; ``status`` is what HTTP would have answered."""
    return {"type": "error", "status": status, "detail": detail}


def signals(book: Book, key: Key, limit: int) -> dict[str, list[Any]]:
    """Pivots and swings, fair value gaps, and the newest signals by what they recognised."""
    symbol, timeframe = key
    recent = book.signals(symbol, timeframe, limit)
    found: dict[str, list[Any]] = {
        "pivot_points": [level for level in book.levels(key) if _is_pivot(level)],
        "fvg_zones": [zone for zone in book.zones(key) if zone.key.startswith("fvg")],
    }
    for action in get_args(Action):
        found[f"{action}_signals"] = [one for one in recent if one.action == action]
    return found


def market_time(candle: ShownCandle | None) -> int:
    """The market's time that a candle speaks of: its end once closed, until then its start."""
    if candle is None:
        return 0
    return candle.at if candle.closed else candle.open_at


def _is_pivot(level: ShownLevel) -> bool:
    return level.key.startswith(("pivot", "swing"))


def _about(book: Book, key: Key, kind: str, candle: ShownCandle | None) -> Message:
    symbol, timeframe = key
    return {
        "type": kind,
        "symbol": symbol,
        "timeframe": timeframe,
        "candle": candle,
        "provisional": candle is not None and not candle.closed,
        "source": book.source(symbol),
        "timestamp": market_time(candle),
    }
