"""What the watch on freshness shows of a symbol, as somebody else reads it.

The text is JSON, as in ``{"status": "fresh", "price_at": 1781100001000000, "source": "demo",
"now": 1781100002000000, "told_at": 1795270000000000, "delay_ms": 0, "late_ms": 10000, "stale_ms":
60000, "session": [1781038800000000, 1781125200000000], "pulse": {...}}``.
"""

import json
from dataclasses import dataclass

from services.ingest.domain.freshness import Status
from shared.events.base import MICROS_PER_SECOND

# The watch shows every symbol once a second; ten times that is no hiccup.
SILENT_AFTER_US = 10 * MICROS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Reading:
    """How fresh a symbol's data are.

    ``at`` is its newest price's time, ``age_ms`` how old that is in the market's time, null where
    no price has come. From ``late_after_ms`` on it is late, from ``stale_after_ms`` on stale.
    ``session`` is the running session, or the next. ``reason`` says why the status is not fresh.
    """

    symbol: str
    status: Status
    reason: str
    at: int | None
    age_ms: int | None
    late_after_ms: int
    stale_after_ms: int
    delay_ms: int
    source: str
    session: tuple[int, int] | None
    told_at: int


def reading(symbol: str, text: str, now: int) -> Reading:
    """What a text shows of a symbol; ``now`` is the wall's time, µs.

    Raises:
        ValueError: the text is no such JSON.
    """
    try:
        shown = json.loads(text)
        price_at, told_at = shown["price_at"], int(shown["told_at"])
        status: Status = shown["status"]
        silent = now - told_at
        if silent > SILENT_AFTER_US and status != "closed":
            status = "stale"
        age = None if price_at is None else max(0, shown["now"] - price_at) // 1_000
        return Reading(
            symbol=symbol,
            status=status,
            reason=_reason(status, age, silent),
            at=price_at,
            age_ms=age,
            late_after_ms=shown["late_ms"],
            stale_after_ms=shown["stale_ms"],
            delay_ms=shown["delay_ms"],
            source=shown["source"],
            session=None if shown["session"] is None else tuple(shown["session"]),
            told_at=told_at,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{text[:80]!r} shows no freshness: {error}") from None


def _reason(status: Status, age_ms: int | None, silent_us: int) -> str:
    if status == "closed":
        return "its market is closed"
    if silent_us > SILENT_AFTER_US:
        return f"ingest has said nothing for {silent_us // MICROS_PER_SECOND} s"
    if status == "fresh":
        return ""
    if age_ms is None:
        return "its market is open, but no price has come yet"
    return f"its market is open, but its newest price is {age_ms // 1_000} s old"
