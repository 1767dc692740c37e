"""An alert as JSON: the one shape that webhooks send and the console can print."""

from typing import Any

from services.notifier.domain.intents import AlertIntent
from shared.events.base import stamp

PAYLOAD_VERSION = 1
"""Raised when a field changes its meaning or goes; a new field alone does not raise it."""


def payload(intent: AlertIntent) -> dict[str, Any]:
    """The documented fields (``docs/channels.md``), values JSON can hold, none of them nested."""
    return {
        "type": "alert",
        "version": PAYLOAD_VERSION,
        "id": intent.id,
        "channel": intent.channel,
        "simulated": intent.simulated,
        "text": intent.text,
        "symbol": intent.symbol,
        "at": intent.at,
        "time": stamp(intent.at),
        "pos": intent.pos,
        "signal": intent.signal,
        "config": intent.config,
        "rule": intent.rule,
        "rule_version": intent.rule_version,
        "action": intent.action,
        "direction": intent.direction,
        "timeframe": intent.timeframe,
        "level": intent.level,
        "level_price": intent.level_price,
        "price": intent.price,
        "gap": intent.gap,
        "reason": intent.reason,
        "expires_at": intent.expires_at,
    }
