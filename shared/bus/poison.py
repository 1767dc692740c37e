"""Dead letters: what a stage steps over, kept with its reason."""

from shared.bus.topics import StageName, Topic
from shared.events.base import Micros
from shared.events.codec import Poison
from shared.events.control import DeadLetter
from shared.events.evidence import REASON_MAX, bounded, digest
from shared.events.spine import PARTITION_SYMBOL

_SYMBOL_MAX = 40


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
        reason=poison.reason[:REASON_MAX],
        digest=digest(poison.fields),
        body=bounded(poison.fields),
    )


def _symbol(text: str) -> str:
    words = " ".join(text.split())
    plain = text == words and 0 < len(text) <= _SYMBOL_MAX and not set(text) & set(":{}")
    return text if plain else PARTITION_SYMBOL


def _whole(text: str) -> Micros:
    return int(text) if text.isascii() and text.isdigit() and int(text) < 2**53 else 0
