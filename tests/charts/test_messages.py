"""The messages' shapes: every field that clients of old expect, and what was added."""

import json
from typing import Any

from services.charts.domain import messages
from services.charts.domain.book import Book, Capacity
from services.charts.domain.shapes import candle_from, candle_of
from shared.events import Event
from shared.service.encoding import encoded
from tests.charts.made import KEY, MINUTE, NINE, alert, candle, closed, reading, signal


def book_of(*events: Event) -> Book:
    book = Book(Capacity())
    for event in events:
        book.apply(event)
    return book


def sent(message: messages.Message) -> Any:
    return json.loads(encoded(message))


def test_full_update_has_the_fields_of_old() -> None:
    """type, symbol, timeframe, candle, signals by kind and timestamp, as brief as before."""
    book = book_of(reading(0, 1.2), signal(1), signal(1, action="touch", timeframe="1m"))
    update = sent(messages.full_update(book, KEY, candle_of(closed(0))))
    assert update["type"] == "full_update"
    assert (update["symbol"], update["timeframe"]) == ("EURUSD", "1m")
    assert update["candle"] == {
        "open_at": NINE,
        "at": NINE + MINUTE,
        "open": 1.1,
        "high": 1.11,
        "low": 1.09,
        "close": 1.1,
        "volume": 0.0,
        "closed": True,
    }
    assert {kind: len(found) for kind, found in update["signals"].items()} == {
        "pivot_points": 1,
        "fvg_zones": 0,
        "break_signals": 1,
        "touch_signals": 1,
        "sweep_signals": 0,
        "retest_signals": 0,
        "enter_signals": 0,
        "leave_signals": 0,
        "condition_signals": 0,
    }
    assert update["timestamp"] == NINE + MINUTE
    assert update["provisional"] is False


def test_candle_update_is_small() -> None:
    """Between two closes only the candle is sent, and that it may still change."""
    book = book_of(closed(0))
    update = sent(messages.candle_update(book, KEY, candle_from(candle(1), closed=False)))
    assert set(update) == {
        "type",
        "symbol",
        "timeframe",
        "candle",
        "provisional",
        "source",
        "timestamp",
    }
    assert (update["type"], update["provisional"]) == ("candle_update", True)
    assert (update["source"], update["timestamp"]) == ("demo", NINE + MINUTE)


def test_snapshot_stands_alone() -> None:
    """It holds the candles given, the newest of all, levels, alerts and the prices' precision."""
    book = book_of(closed(0), closed(1), reading(1, 1.2), signal(1), alert(1))
    snapshot = sent(messages.snapshot(book, KEY, book.candles(KEY, None, 1), None))
    assert (snapshot["type"], snapshot["snapshot"]) == ("full_update", True)
    assert [one["open_at"] for one in snapshot["candles"]] == [NINE + MINUTE]
    assert [level["price"] for level in snapshot["levels"]] == [1.2]
    assert snapshot["alerts"][0]["signal"]["action"] == "break"
    assert snapshot["decimals"] == 2


def test_chart_without_candles_says_so() -> None:
    """A timeframe that has no candle yet has none, and time zero."""
    snapshot = sent(messages.snapshot(book_of(closed(0)), ("EURUSD", "1d"), [], None))
    assert (snapshot["candle"], snapshot["provisional"], snapshot["timestamp"]) == (None, False, 0)
