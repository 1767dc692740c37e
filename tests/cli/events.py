"""One event of every kind that the command line shows: EURUSD on 2026-11-20, 09:15 UTC."""

from datetime import UTC, datetime
from typing import Any

from services.notifier.domain.intents import AlertIntent
from shared.events import (
    AlertFired,
    Candle,
    CandleClosed,
    CandleIn,
    Close,
    Config,
    DeadLetter,
    Event,
    Gap,
    Heartbeat,
    Level,
    LevelComputed,
    Ops,
    SignalGenerated,
    Source,
    Tick,
    Watermark,
    Window,
)
from shared.events.base import MICROS_PER_MINUTE, micros

AT = micros(datetime(2026, 11, 20, 9, 15, tzinfo=UTC))
OPEN_AT = AT - 15 * MICROS_PER_MINUTE
DAY_AT = micros(datetime(2026, 11, 19, 22, tzinfo=UTC))
_PRICES = {"open": 1.0841, "high": 1.0852, "low": 1.084, "close": 1.08512, "volume": 120.0}
_BARE = Candle(open_at=OPEN_AT, at=AT, open=1.0841, high=1.0852, low=1.084, close=1.08512)


def tick(**changed: Any) -> Tick:
    return Tick(**(_at() | {"price": 1.08512, "size": 3.0, "source": "demo", "n": 0} | changed))


def signal(**changed: Any) -> SignalGenerated:
    fields = {
        "config": "liquidity",
        "rule": "high",
        "rule_version": "1a",
        "action": "touch",
        "direction": "short",
        "timeframe": "1d",
        "level": "previous_day.high@2026-11-19T22:00Z",
        "level_price": 1.0851,
        "price": 1.08512,
        "gap": False,
        "operands": {"price": 1.08512},
        "reason": "touched yesterday's high",
        "expires_at": None,
        "cause": tick().id,
    }
    return SignalGenerated(**(_at() | fields | changed))


def alert(of: SignalGenerated, **changed: Any) -> AlertFired:
    fields: dict[str, Any] = {
        "channel": "console",
        "signal": of.id,
        "status": "delivered",
        "attempts": 1,
        "text": "EURUSD touched yesterday's high",
        "detail": "",
        "fired_at": AT,
        "cause": of.id,
    }
    place: dict[str, Any] = {"symbol": of.symbol, "at": of.at, "pos": of.pos}
    return AlertFired(**(place | fields | changed))


def candle_closed(**changed: Any) -> CandleClosed:
    fields = {
        **_PRICES,
        "timeframe": "15m",
        "open_at": OPEN_AT,
        "session_at": DAY_AT,
        "ticks": 42,
        "source": "demo",
        "origin": "live",
        "cause": "close:EURUSD",
    }
    return CandleClosed(**(_at() | fields | changed))


def candle_in() -> CandleIn:
    fields = {"timeframe": "15m", "open_at": OPEN_AT, "source": "file", "origin": "seed"}
    return CandleIn(**(_at() | _PRICES | fields))


def level_computed(levels: int = 1) -> LevelComputed:
    found = tuple(
        Level(
            key=f"swing.{n}",
            price=1.08 + n / 100,
            side="support",
            formed_at=OPEN_AT,
            confirmed_at=AT,
        )
        for n in range(levels)
    )
    fields: dict[str, Any] = {
        "timeframe": "15m",
        "session_at": DAY_AT,
        "origin": "live",
        "candle": _BARE,
        "levels": found,
        "values": {},
        "zones": (),
        "cause": "candle_closed:EURUSD",
    }
    return LevelComputed(**(_at() | fields))


def one_of_each() -> list[Event]:
    """In the order of the chain."""
    everything: dict[str, Any] = {"symbol": "*", "at": AT, "pos": 7}
    ops: dict[str, Any] = {
        "service": "ingest",
        "worker": "ingest-1",
        "kind": "data_stale",
        "detail": "no ticks",
    }
    letter = {"stage": "candles", "topic": "tick", "entry": "5-0", "digest": "ab", "body": ["type"]}
    config = {"kind": "instrument", "name": "EURUSD", "version": "1f", "body": {}}
    return [
        tick(),
        Close(**_at(), session_at=DAY_AT, windows=(Window(timeframe="15m", open_at=OPEN_AT),)),
        candle_in(),
        Config(**(_at() | config)),
        Source(**_at(), source="demo", delay_ms=0.0),
        Gap(**_at(), since=OPEN_AT, reason="provider away"),
        Heartbeat(**everything),
        candle_closed(),
        level_computed(),
        signal(),
        AlertIntent.of(signal(), "console", routes="r").model_copy(
            update={"text": "EURUSD touched"}
        ),
        alert(signal()),
        Ops(**(everything | {"pos": 0} | ops)),
        Watermark(**everything),
        DeadLetter(**(_at() | letter), reason="negative price"),
    ]


def _at() -> dict[str, Any]:
    return {"symbol": "EURUSD", "at": AT, "pos": 7}
