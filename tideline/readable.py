"""Events as lines for people: when, of what, and the essentials."""

from collections.abc import Iterable, Sequence

from shared.events import (
    AlertFired,
    CandleClosed,
    CandleIn,
    Close,
    Config,
    ConfigPassed,
    ConfigRequested,
    DeadLetter,
    Event,
    Gap,
    LevelComputed,
    Ops,
    SignalGenerated,
    Source,
    Tick,
    Watermark,
)
from shared.events.base import stamp
from shared.events.codec import Poison

_LEVELS_SHOWN = 6


def line(entry_id: str, event: Event | Poison) -> str:
    """One line for one entry of a topic."""
    if isinstance(event, Poison):
        return f"{entry_id}  unreadable: {event.reason}"
    return f"{stamp(event.at)}  {event.symbol:<9} {event.TYPE:<16} {essentials(event)}".rstrip()


def unread(entry_id: str, fields: Sequence[str]) -> str:
    """One line for an entry whose type this installation does not know: its fields as written."""
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return f"{entry_id}  " + " ".join(f"{name}={value}" for name, value in pairs)


def number(value: float) -> str:
    """A price or size without noise: 1.0851, 18250, 0.00001."""
    text = f"{value:.8f}".rstrip("0").rstrip(".")
    return text if text not in {"0", "-0"} or value == 0 else f"{value:g}"


def essentials(event: Event) -> str:
    """What matters of an event besides its time and symbol."""
    match event:
        case Tick():
            return f"{number(event.price)} x {number(event.size)} from {event.source}"
        case Close():
            return "closes " + " ".join(window.timeframe for window in event.windows)
        case CandleIn():
            return f"{event.timeframe} {_prices(event)} {event.origin} from {event.source}"
        case CandleClosed():
            return f"{event.timeframe} {_prices(event)} {event.ticks} ticks, {event.origin}"
        case LevelComputed():
            return f"{event.timeframe} close {number(event.candle.close)}; {_levels(event)}"
        case SignalGenerated():
            where = f"{event.level} {number(event.level_price)} at {number(event.price)}"
            return f"{event.action} {event.direction} {event.timeframe} {where}: {event.reason}"
        case AlertFired():
            return f"{event.channel} {_delivery(event)}: {event.text}"
        case Ops():
            return f"{event.kind} {event.worker}: {event.detail}"
        case _:
            return _housekeeping(event)


def _housekeeping(event: Event) -> str:
    match event:
        case Config() | ConfigPassed() | ConfigRequested():
            return f"{event.kind} {event.name} @{event.version}"
        case Source():
            return f"prices from {event.source}, {number(event.delay_ms)} ms late"
        case Gap():
            return f"no prices since {stamp(event.since)}: {event.reason}"
        case Watermark():
            return f"everything up to {event.pos} is written"
        case DeadLetter():
            return f"{event.stage} stepped over {event.topic} {event.entry}: {event.reason}"
        case Event(TYPE="alert_intent"):
            # The notifier's own, whose class an image of another service does not have.
            fields = event.model_dump(include={"channel", "text"})
            return f"{fields['channel']} is to tell: {fields['text']}"
        case _:
            return _fields(event)


def _prices(candle: CandleIn | CandleClosed) -> str:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return " ".join(
        f"{name} {number(value)}"
        for name, value in zip("ohlcv", (*prices, candle.volume), strict=True)
    )


def _levels(event: LevelComputed) -> str:
    names = [f"{level.key} {number(level.price)}" for level in event.levels]
    shown = ", ".join(names[:_LEVELS_SHOWN])
    rest = len(names) - _LEVELS_SHOWN
    return (shown or "no levels yet") + (f" and {rest} more" if rest > 0 else "")


def _delivery(alert: AlertFired) -> str:
    tries = f"{alert.attempts} attempt{'s' if alert.attempts != 1 else ''}"
    failed = f", {alert.detail}" if alert.status == "failed" else ""
    return f"{alert.status} after {tries}{failed}"


def _fields(event: Event) -> str:
    """An event that this page does not know: its own fields."""
    shown: Iterable[tuple[str, object]] = event.model_dump(exclude={"symbol", "at", "pos"}).items()
    return " ".join(f"{name}={value}" for name, value in shown)
