"""Dead letters: what a stage steps over, kept with its reason."""

import hashlib

from shared.bus.topics import StageName, Topic
from shared.events.base import Micros
from shared.events.codec import Poison
from shared.events.control import DeadLetter
from shared.events.spine import PARTITION_SYMBOL

_REASON_MAX = 1000
_SYMBOL_MAX = 40
# Characters kept of a foreign entry, which may be of any size; the digest is over all of it.
_BODY_MAX = 65_536


def digest(fields: tuple[str, ...]) -> str:
    """First 16 hex digits of the SHA-256 over the fields, each ended by a zero byte."""
    whole = b"".join(field.encode("utf-8", "replace") + b"\0" for field in fields)
    return hashlib.sha256(whole).hexdigest()[:16]


def dead_letter(stage: StageName, topic: Topic, entry_id: str, poison: Poison) -> DeadLetter:
    """The dead letter of one entry; symbol, time and position are kept where they can be read."""
    named = dict(zip(poison.fields[::2], poison.fields[1::2], strict=False))
    return DeadLetter(
        symbol=_symbol(named.get("symbol", "")),
        at=_whole(named.get("at", "")),
        pos=_whole(named.get("pos", "")),
        stage=stage,
        topic=topic,
        entry=entry_id,
        reason=poison.reason[:_REASON_MAX],
        digest=digest(poison.fields),
        body=_bounded(poison.fields),
    )


def _bounded(fields: tuple[str, ...]) -> list[str]:
    """The fields as far as they fit; a body that was cut does not fit its digest any more."""
    kept: list[str] = []
    left = _BODY_MAX
    for text in fields:
        if left <= 0:
            break
        kept.append(text[:left])
        left -= max(1, len(text))
    return kept


def _symbol(text: str) -> str:
    words = " ".join(text.split())
    plain = text == words and 0 < len(text) <= _SYMBOL_MAX and not set(text) & set(":{}")
    return text if plain else PARTITION_SYMBOL


def _whole(text: str) -> Micros:
    return int(text) if text.isascii() and text.isdigit() and int(text) < 2**53 else 0
