"""What the spine does not take: counted, and kept as dead letters with the reason."""

from collections import Counter
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from services.ingest.domain.items import FeedRejected, Item
from shared.events import ConfigRequested, DeadLetter
from shared.events.base import Symbol
from shared.events.evidence import REASON_MAX, bounded, digest
from shared.events.spine import PARTITION_SYMBOL

Why = Literal["unreadable", "unknown", "number", "window", "session", "late", "refused"]
"""Kinds of rejection, for counting; the reason says it in full."""

# 2255-06-05, the last time that every reader can hold exactly.
LAST_TIME = 2**53 - 1

_STAGE = "feed"
_SYMBOL = TypeAdapter(Symbol)


class Rejections:
    """Makes the dead letters of one partition's feed and counts them by kind.

    ``total`` numbers them over the partition's whole life, so that each has an id of its own.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.counts: Counter[Why] = Counter()

    def reject(self, item: Item | ConfigRequested, why: Why, reason: str, pos: int) -> DeadLetter:
        """The dead letter of an item; ``pos`` is the spine's last entry before it."""
        self.total += 1
        self.counts[why] += 1
        raw = _raw(item)
        return DeadLetter(
            symbol=_symbol(getattr(item, "symbol", "")),
            at=item.at if 0 <= item.at <= LAST_TIME else 0,
            pos=pos,
            stage=_STAGE,
            topic="inbox" if isinstance(item, ConfigRequested) else _STAGE,
            entry=str(self.total),
            reason=reason[:REASON_MAX],
            digest=digest(raw),
            body=bounded(raw),
        )


def _raw(item: Item | ConfigRequested) -> tuple[str, ...]:
    """Field names and values by turns."""
    if isinstance(item, FeedRejected):
        return item.raw
    if isinstance(item, ConfigRequested):
        return tuple(map(str, item.wire()))
    fields = {"type": type(item).__name__, **item._asdict()}
    return tuple(str(part) for pair in fields.items() for part in pair)


def _symbol(text: str) -> str:
    try:
        return _SYMBOL.validate_python(text)
    except ValidationError:
        return PARTITION_SYMBOL
