"""What Yahoo's WebSocket sends, read.

A frame is ``{"type": "pricing", "message": "<base64>"}``, or the base64 alone. Inside is the
message PricingData: ``id``, ``price`` (32-bit float), ``time`` (ms), ``market_hours`` (0 before, 1
regular, 2 after, 3 round the clock), ``day_volume`` (cumulative), ``bid`` and ``ask`` if any.
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.ingest.domain.items import FeedTick
from services.ingest.settings import Side

Decode = Callable[[bytes], Any]
"""The message in these bytes.

Raises:
    ValueError: they are none.
"""
_MS = 1_000
# Before and after the session: of no candle of ours.
_OUTSIDE = (0, 2)
_CLOSED_ONLY = "window"
# Clocks of providers may be ahead of ours by so much.
_AHEAD_US = 5_000_000


class Frames:
    """The frames of one connection: volumes are differences between its own messages.

    The first message of a symbol has the volume 0: what was traded before it is in candles.
    """

    def __init__(self, source: str, names: Mapping[str, str], side: Side, decode: Decode) -> None:
        self.dropped: Counter[str] = Counter()
        self._source = source
        self._names = names
        self._side = side
        self._decode = decode
        self._volumes: dict[str, int] = {}
        self._last: dict[str, tuple[int, float, int]] = {}

    def read(self, frame: str | bytes, now: int) -> list[FeedTick]:
        """The price in a frame, if it holds one that can be used; what cannot is counted."""
        try:
            message = self._decode(_payload(frame))
        except (ValueError, binascii.Error):
            self.dropped["unreadable"] += 1
            return []
        why = self._fault(message, now)
        if why is not None:
            self.dropped[why] += 1
            return []
        price = _shortest(self._price(message))
        size = self._size(message)
        at = int(message.time) * _MS
        return [FeedTick(self._names[message.id], at, price, size, self._source)]

    def forget(self, names: Iterable[str]) -> None:
        """These are not followed any more: what is traded until they are again is in candles."""
        for name in names:
            self._volumes.pop(name, None)
            self._last.pop(name, None)

    def _fault(self, message: Any, now: int) -> str | None:
        if message.id not in self._names:
            return "unknown"
        if message.market_hours in _OUTSIDE:
            return _CLOSED_ONLY
        if int(message.time) * _MS > now + _AHEAD_US:
            return "future"
        if self._side != "last" and message.bid > message.ask > 0:
            return "crossed"
        said = (int(message.time), float(message.price), int(message.day_volume))
        if self._last.get(message.id) == said and self._side == "last":
            return "duplicate"
        self._last[message.id] = said
        return None

    def _price(self, message: Any) -> float:
        """The side of the settings, or the last price where the message does not tell both."""
        bid, ask = float(message.bid), float(message.ask)
        if self._side == "last" or not (bid > 0 and ask > 0):
            return float(message.price)
        return {"bid": bid, "ask": ask, "mid": (bid + ask) / 2}[self._side]

    def _size(self, message: Any) -> float:
        """What was traded since the message before; nothing where the count began anew."""
        volume = int(message.day_volume)
        before = self._volumes.get(message.id, volume)
        self._volumes[message.id] = volume
        return float(max(0, volume - before))


def _payload(frame: str | bytes) -> bytes:
    text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame
    if text.startswith("{"):
        found = json.loads(text).get("message")
        if not isinstance(found, str):
            raise ValueError("no message in the frame")
        text = found
    return base64.b64decode(text, validate=True)


def _shortest(price: float) -> float:
    """The decimal number that a 32-bit float stands for: it holds seven digits."""
    return float(f"{price:.7g}")
