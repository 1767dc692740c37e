"""What other programs push, as prices: pure, each fault with its place.

A tick of ``POST /api/v1/ticks``: ``{"symbol": "EURUSD", "at": "2026-06-10T14:00:01Z", "price":
1.1012, "size": 0, "source": "desk", "n": 0}``; ``bid`` and ``ask`` may stand in place of ``price``.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.pushed import Pushed
from services.ingest.domain.rejections import LAST_TIME
from shared.events.base import MICROS_PER_SECOND, Price, micros, stamp
from shared.events.candle import Volume

# The provider whose names of instruments other programs may use.
PROVIDER = "push"
# Numbers are seconds, milliseconds or microseconds since 1970 by their size, as in recordings.
_SECONDS_BELOW, _MILLIS_BELOW = 1e11, 1e14
# Clocks of two machines differ; a price of more than this ahead is a mistake.
_AHEAD_US = 60 * MICROS_PER_SECOND


def instant(value: object) -> int:
    """Microseconds since 1970 of ISO 8601 text (UTC unless it says otherwise) or of a number.

    Raises:
        ValueError: it is neither, or before 1970.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value[:40]!r} is no ISO 8601 time") from None
        return _known(micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a time is ISO 8601 text or a number")
    if not 0 <= value <= LAST_TIME:
        raise ValueError(f"{value} is no time since 1970")
    if value < _SECONDS_BELOW:
        return round(value * MICROS_PER_SECOND)
    return round(value * 1_000) if value < _MILLIS_BELOW else round(value)


def _known(at: int) -> int:
    if not 0 <= at <= LAST_TIME:
        raise ValueError("the time is before 1970 or after 2255")
    return at


class PushedTick(BaseModel):
    """One price as other programs write it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: Annotated[str, Field(min_length=1, max_length=40, description="or its name under push")]
    at: Annotated[
        int,
        BeforeValidator(instant),
        Field(description="ISO 8601, or seconds, milliseconds or microseconds since 1970"),
    ]
    price: Price | None = None
    bid: Price | None = None
    ask: Price | None = None
    size: Volume = 0.0
    source: Annotated[str, Field(min_length=1, max_length=40)] = PROVIDER
    n: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        None, description="tells equal times of a symbol and source apart"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.price is None and (self.bid is None or self.ask is None):
            raise ValueError("give price, or bid and ask")
        if self.bid is not None and self.ask is not None and self.bid > self.ask:
            raise ValueError(f"crossed: bid {self.bid} is above ask {self.ask}")
        return self

    @property
    def value(self) -> float:
        """The price, or the middle of bid and ask."""
        if self.price is not None:
            return self.price
        assert self.bid is not None and self.ask is not None, "checked when built"  # noqa: PT018
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one item: its number in the batch, and the field if it is one's."""

    item: int
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Given:
    """A price that can be taken, and the identity by which a repetition is known."""

    item: int
    identity: str
    event: Pushed


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch's items."""

    given: Sequence[Given]
    faults: Sequence[Fault]


class Book:
    """The instruments that prices may be pushed of, and what other programs call them."""

    def __init__(self, table: InstrumentTable, aliases: Mapping[str, str] | None = None) -> None:
        self._table = table
        self._names = {**(aliases or {}), **table.named(PROVIDER)}

    def symbol(self, given: str) -> str | None:
        """Our symbol of a name; None if nobody knows it."""
        symbol = self._names.get(given, given)
        return None if self._table.find(symbol) is None else symbol

    def complaint(self, given: str) -> str:
        """Why a name is not known, with the nearest that are."""
        return self._table.complaint(given)


def read_batch(rows: Sequence[object], book: Book, now: int, key: str | None = None) -> Batch:
    """Prices and faults of some rows; ``now`` (µs) tells what is from the future.

    A price is the same as another of the same symbol, source, time and ``n``; without ``n`` also of
    the same price and size, the second such in one batch being the second. With a key of the whole
    batch it is its place in it.
    """
    given, faults = [], []
    repeats: Counter[str] = Counter()
    for item, row in enumerate(rows):
        read = _read(item, row)
        tick = read if isinstance(read, Fault) else _placed(item, read, book, now)
        if isinstance(tick, Fault):
            faults.append(tick)
            continue
        told = _told(tick)
        named = told if key is None else f"{key}\0{item}"
        event = Pushed(
            symbol=tick.symbol,
            at=tick.at,
            pos=0,
            price=tick.value,
            size=tick.size,
            source=tick.source,
            n=repeats[told] if tick.n is None else tick.n,
        )
        identity = named if key is not None or tick.n is not None else f"{told}\0{repeats[told]}"
        repeats[told] += 1
        given.append(Given(item, _digest(identity), event))
    return Batch(given, faults)


def _read(item: int, row: object) -> PushedTick | Fault:
    if not isinstance(row, dict):
        return Fault(item, "", "no JSON object")
    try:
        return PushedTick.model_validate(row)
    except ValidationError as error:
        complaint = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in complaint["loc"])
        return Fault(item, where, complaint["msg"].removeprefix("Value error, "))


def _placed(item: int, tick: PushedTick, book: Book, now: int) -> PushedTick | Fault:
    """The tick under our own symbol, if it is an instrument's and not from the future."""
    symbol = book.symbol(tick.symbol)
    if symbol is None:
        return Fault(item, "symbol", book.complaint(tick.symbol))
    if tick.at > now + _AHEAD_US:
        return Fault(item, "at", f"{stamp(tick.at)} is in the future, it is {stamp(now)}")
    return tick.model_copy(update={"symbol": symbol})


def _told(tick: PushedTick) -> str:
    parts: tuple[Any, ...] = (tick.symbol, tick.source, tick.at, tick.n)
    return "\0".join(map(str, parts if tick.n is not None else (*parts, tick.value, tick.size)))


def _digest(identity: str) -> str:
    return hashlib.blake2b(identity.encode("utf-8", "replace"), digest_size=12).hexdigest()
