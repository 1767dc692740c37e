"""Signals and intents to test with, each field as the wire has it."""

from datetime import UTC, datetime
from typing import Any

from services.notifier.domain.intents import AlertIntent
from shared.events.base import micros
from shared.events.signal import SignalGenerated

AT = micros(datetime(2026, 11, 20, 9, 15, 3, tzinfo=UTC))


def a_signal(**changed: Any) -> SignalGenerated:
    """EURUSD touches yesterday's high on 2026-11-20 at 09:15:03 UTC, unless changed."""
    fields: dict[str, Any] = {
        "symbol": "EURUSD",
        "at": AT,
        "pos": 4711,
        "config": "liquidity",
        "rule": "previous-day-touch",
        "rule_version": "1f2e3d4c",
        "action": "touch",
        "direction": "short",
        "timeframe": "1d",
        "level": "previous_day.high@2026-11-19T22:00Z",
        "level_price": 1.08512,
        "price": 1.08512,
        "gap": False,
        "operands": {"price": 1.08512, "level": 1.08512},
        "reason": "EURUSD touched yesterday's high 1.08512",
        "expires_at": None,
        "cause": "tick:EURUSD:file:2026-11-20T09:15:03Z:7",
    }
    return SignalGenerated(**(fields | changed))


def an_intent(channel: str = "console", **changed: Any) -> AlertIntent:
    """The intent of ``a_signal`` for a channel."""
    return AlertIntent.of(a_signal(**changed), channel, routes="r0")


def intents(count: int, channel: str = "console") -> list[AlertIntent]:
    """Intents of different signals, a second and a position apart."""
    return [an_intent(channel, at=AT + n * 1_000_000, pos=n + 1) for n in range(count)]
