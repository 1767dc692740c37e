"""What TWS says, as prices and candles: pure.

Numbers of messages, ticks and errors are those of IBKR's own documentation of the TWS API.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Final, Literal, NamedTuple

from services.ingest.domain.asking import Given
from services.ingest.domain.items import FeedTick
from shared.events.base import MICROS_PER_SECOND
from shared.market.timeframes import LENGTH_US, Timeframe

NAME: Final = "ibkr"

Way = Literal["trades", "last", "quotes"]
"""How a symbol's prices come: trade by trade, as the last price shown, as bid and ask."""
Shows = Literal["TRADES", "MIDPOINT"]


class BadName(Exception):
    """A name of an instrument at IBKR is no such name; the message says how one is written."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A contract as the instruments name it: ``FUT:MES:CME:USD:202612``, ``CASH:EUR:IDEALPRO:USD``.

    Kind, symbol, exchange, currency; for contracts that end also when, for options also strike and
    right. ``CONTFUT`` is the leading month of a future.
    """

    kind: str
    symbol: str
    exchange: str
    currency: str
    expires: str = ""
    strike: float = 0.0
    right: str = ""

    @property
    def way(self) -> Way:
        """Indices have no trades, currencies and metals no exchange that prints them."""
        if self.kind == "IND":
            return "last"
        return "quotes" if self.kind in ("CASH", "CMDTY") else "trades"

    @property
    def shows(self) -> Shows:
        """What its candles are made of."""
        return "MIDPOINT" if self.way == "quotes" else "TRADES"


_PARTS_MIN, _PARTS_MAX = 4, 7


def spec(name: str) -> Spec:
    """Read a name.

    Raises:
        BadName: it has too few parts, or too many, or a strike that is no number.
    """
    parts = name.split(":")
    if not (_PARTS_MIN <= len(parts) <= _PARTS_MAX and all(parts)):
        raise BadName(f"{name!r} is not written as KIND:SYMBOL:EXCHANGE:CURRENCY[:WHEN]")
    kind, symbol, exchange, currency, *more = parts
    expires, strike, right = [*more, "", "", ""][:3]
    try:
        return Spec(kind, symbol, exchange, currency, expires, float(strike or 0), right)
    except ValueError:
        raise BadName(f"{name!r}: the strike {strike!r} is no number") from None


Effect = Literal[
    "cut", "farm_cut", "restored", "farm_restored", "refused", "no_trades", "client_id", "busy",
    "no_data", "note",
]  # fmt: skip
"""What a message of TWS means for us."""

_EFFECTS: dict[int, Effect] = {
    # Between TWS and its servers: cut, then back with or without the subscriptions of before.
    1100: "cut",
    1101: "restored",
    1102: "restored",
    2110: "cut",
    # One market data farm: broken, and well again. The second is said of each at the start too.
    2103: "farm_cut",
    2104: "farm_restored",
    2108: "farm_restored",
    326: "client_id",
    # No security definition; ambiguous or invalid; no permission for its prices.
    200: "refused",
    321: "refused",
    354: "refused",
    10089: "refused",
    10090: "refused",
    10168: "refused",
    10186: "refused",
    10197: "refused",
    # More lines than the account has.
    101: "refused",
    # Trade by trade is not to be had: too many of them, or never for this contract.
    10187: "no_trades",
    10189: "no_trades",
    10190: "no_trades",
    # Requests come too fast.
    100: "busy",
    420: "busy",
    # A question of the past has no answer.
    162: "no_data",
    366: "no_data",
}


def effect(code: int, text: str) -> Effect:
    """The meaning of a message; most are notes."""
    found = _EFFECTS.get(code, "note")
    if found == "no_data" and "pacing" in text.lower():
        return "busy"
    return found


def farm(text: str) -> str:
    """The farm of which a message speaks: ``Market data farm connection is broken:usfuture``."""
    return text.rpartition(":")[2].strip()


# Tick types: live, and 15 minutes late for accounts without a subscription.
_BID, _ASK, _LAST = {1, 66}, {2, 67}, {4, 68}
_STAMPS = {45, 88}
DELAYED_US: Final = 900 * MICROS_PER_SECOND


class Line:
    """What one subscription has said within a packet and before it.

    A last price has the exchange's time that came with it (tick type 45, whole seconds, before or
    behind the price); without one it is of its arrival. Crossed quotes are counted, not taken.
    """

    def __init__(self, symbol: str, way: Way) -> None:
        self.symbol = symbol
        self.way = way
        self.crossed = 0
        self.is_delayed = False
        self._bid: float | None = None
        self._ask: float | None = None
        self._middle: float | None = None
        self._stamp: int | None = None
        self._lasts: list[tuple[float, float]] = []

    def trade(self, at_s: int, price: float, size: float) -> FeedTick | None:
        """One trade, of the exchange's second; None if it is no price."""
        if not (price > 0 and isfinite(price)):
            return None
        return FeedTick(self.symbol, at_s * MICROS_PER_SECOND, price, _size(size), NAME)

    def price(self, kind: int, price: float, size: float) -> None:
        """One price of some kind; -1 is how TWS says that there is none."""
        given = price if price > 0 and isfinite(price) else None
        if kind in _BID:
            self._bid = given
        elif kind in _ASK:
            self._ask = given
        elif kind in _LAST and given is not None:
            self._lasts.append((given, _size(size)))

    def stamp(self, kind: int, text: str) -> None:
        """The exchange's time of the last trade, seconds since 1970 as text."""
        if kind in _STAMPS and text.isascii() and text.isdigit():
            self._stamp = int(text) * MICROS_PER_SECOND

    def flush(self, now: int) -> list[FeedTick]:
        """The ticks that follow from a packet, arrived ``now`` (µs)."""
        if self.way == "quotes":
            return self._quote(now)
        lasts, self._lasts = self._lasts, []
        if not lasts:
            return []
        at, self._stamp = self._at(now), None
        return [FeedTick(self.symbol, at, price, size, NAME) for price, size in lasts]

    def _quote(self, now: int) -> list[FeedTick]:
        if self._bid is None or self._ask is None:
            return []
        if self._bid > self._ask:
            self.crossed += 1
            return []
        middle = (self._bid + self._ask) / 2
        if middle == self._middle:
            return []
        self._middle = middle
        at = now - DELAYED_US if self.is_delayed else now
        return [FeedTick(self.symbol, at, middle, 0.0, NAME)]

    def _at(self, now: int) -> int:
        if self._stamp is not None:
            return self._stamp
        return now - DELAYED_US if self.is_delayed else now


def _size(size: float) -> float:
    return size if size > 0 and isfinite(size) else 0.0


class TwsCandle(NamedTuple):
    """A candle as TWS writes it: its opening as seconds since 1970, and -1 for no volume."""

    date: str
    open: float
    high: float
    low: float
    close: float
    volume: float


def given(bars: Sequence[TwsCandle]) -> tuple[Given, ...]:
    """Candles, those left out whose time cannot be read."""
    return tuple(
        Given(
            int(bar.date) * MICROS_PER_SECOND,
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            max(0.0, bar.volume),
        )
        for bar in bars
        # Days are written as 20261121: TWS gives them no time, and we ask for none.
        if bar.date.isascii() and bar.date.isdigit() and len(bar.date) > len("20261121")
    )


_SIZES: dict[Timeframe, str] = {
    "1m": "1 min",
    "5m": "5 mins",
    "15m": "15 mins",
    "1h": "1 hour",
}
_DAY_S = 86_400


class Stretch(NamedTuple):
    """A stretch of the past in TWS' words: its end, its length, the size of a candle."""

    end: str
    duration: str
    size: str


def stretch(timeframe: Timeframe, since: int, until: int) -> Stretch:
    """The words for candles that open in ``[since, until)`` (µs)."""
    seconds = -(-(until - since + LENGTH_US[timeframe]) // MICROS_PER_SECOND)
    # Seconds go up to a day; beyond it TWS takes whole days only.
    length = f"{seconds} S" if seconds <= _DAY_S else f"{-(-seconds // _DAY_S)} D"
    end = datetime.fromtimestamp(-(-until // MICROS_PER_SECOND), tz=UTC)
    return Stretch(f"{end:%Y%m%d-%H:%M:%S}", length, _SIZES[timeframe])
