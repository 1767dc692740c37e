"""Time lines: feed items written as text, and the spine and candles read back as text.

Times are of Wednesday 2026-06-10, UTC, unless a date stands before them. New York is four hours
behind then, Berlin two ahead; FX sessions open at 21:00Z.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from services.ingest.domain.instruments import InstrumentTable, built_in
from services.ingest.domain.items import FeedCandle, FeedTick, FeedTime, Item
from services.ingest.domain.sessions import SessionCalendar, window
from services.ingest.domain.spine import SpineWriter
from shared.events import (
    CandleClosed,
    CandleIn,
    Close,
    Config,
    DeadLetter,
    Event,
    Gap,
    Heartbeat,
    Source,
    Tick,
)
from shared.events.base import micros, moment
from shared.market.timeframes import Timeframe

DAY = "2026-06-10"
TABLE = InstrumentTable(built_in())


def at(text: str) -> int:
    """``14:00``, ``14:00:05.5`` or ``2026-06-11 09:00`` as µs."""
    whole = text if " " in text else f"{DAY} {text}"
    return micros(datetime.fromisoformat(whole).replace(tzinfo=UTC))


def clock(instant: int) -> str:
    """µs as the shortest text that ``at`` reads."""
    when = moment(instant)
    day = "" if f"{when:%Y-%m-%d}" == DAY else f"{when:%m-%d} "
    seconds = f"{when:%H:%M:%S}.{when.microsecond:06d}".rstrip("0").rstrip(".")
    return day + seconds.removesuffix(":00")


def tick(when: str, price: float, symbol: str = "EURUSD", size: float = 0.0) -> FeedTick:
    return FeedTick(symbol, at(when), price, size, "test")


def ticks(line: str, symbol: str = "EURUSD") -> list[FeedTick]:
    """``14:00:01 1.10 | 14:00:30 1.11``: the ticks of a line."""
    pairs = [part.strip().rsplit(" ", 1) for part in line.split("|")]
    return [tick(when, float(price), symbol) for when, price in pairs]


def time(when: str) -> FeedTime:
    return FeedTime(at(when))


def candle(
    timeframe: Timeframe,
    when: str,
    prices: tuple[float, float, float, float],
    symbol: str = "EURUSD",
) -> FeedCandle:
    """A live candle of the window that opens then; prices are open, high, low, close."""
    instrument = TABLE.get(symbol)
    span = SessionCalendar(instrument.session).at(at(when))
    assert span is not None, f"{symbol} is closed at {when}"
    open_at, end = window(timeframe, at(when), span)
    return FeedCandle(symbol, timeframe, open_at, end, *prices, 1.0, "test", "live")


def writer(state: dict[str, str] | None = None) -> SpineWriter:
    return SpineWriter(TABLE, {} if state is None else state)


def written(items: Sequence[Item]) -> list[str]:
    """What a fresh writer makes of the items, as text."""
    return told(writer().process(items))


def dead(events: Iterable[Event]) -> list[str]:
    """The reasons of the dead letters among events."""
    return [event.reason for event in events if isinstance(event, DeadLetter)]


def told(events: Iterable[Event]) -> list[str]:
    """Events as text, a line each: what, when, and what matters of it."""
    return [_told(event) for event in events]


def _told(event: Event) -> str:
    when = clock(event.at)
    match event:
        case Tick():
            return f"tick {event.symbol} {when} {event.price} n{event.n}"
        case Close():
            names = " ".join(window.timeframe for window in event.windows)
            return f"close {event.symbol} {when} {names}"
        case CandleIn():
            return f"candle_in {event.symbol} {event.timeframe} {clock(event.open_at)}-{when}"
        case Config():
            return f"config {event.kind} {event.name}"
        case Heartbeat():
            return f"heartbeat {when}"
        case Source():
            return f"source {event.symbol} {event.source} {event.delay_ms}"
        case Gap():
            return f"gap {event.symbol} {clock(event.since)}-{when}"
        case DeadLetter():
            return f"dead {event.symbol} {event.reason}"
        case CandleClosed():
            prices = f"{event.open} {event.high} {event.low} {event.close}"
            span = f"{clock(event.open_at)}-{when}"
            return f"{event.symbol} {event.timeframe} {span} {prices} x{event.ticks}"
        case _:
            raise AssertionError(f"no text for {event!r}")
