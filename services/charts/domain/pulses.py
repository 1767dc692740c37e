"""How fresh a symbol's data are, out of the text that the feed stage shows of it.

The text is JSON, as in ``{"status": "stale", "told_at": 1795270000000000}``; members not named here
are nobody's business but the watch's.
"""

import json
from typing import Literal, get_args

from shared.events.base import MICROS_PER_SECOND

DataStatus = Literal["fresh", "late", "stale", "closed", ""]
"""Prices come as they should; one is overdue; they have stopped; no session; nobody watches."""

# The watch shows every symbol once a second: what is older tells that ingest is away.
_SILENT_AFTER_US = 10 * MICROS_PER_SECOND


def data_status(text: str, now: int) -> DataStatus:
    """The status that a text shows; ``now`` is the wall's time, µs.

    Raises:
        ValueError: the text is no such JSON.
    """
    try:
        shown = json.loads(text)
        status: DataStatus = shown["status"]
        silent = now - int(shown["told_at"]) > _SILENT_AFTER_US
    except (KeyError, TypeError) as error:
        raise ValueError(f"{text[:80]!r} shows no freshness: {error}") from None
    if status not in get_args(DataStatus):
        raise ValueError(f"{status!r} is no status of data")
    return "stale" if silent and status in ("fresh", "late") else status
