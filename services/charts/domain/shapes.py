"""What the API and the WebSocket say, field by field. All times are microseconds UTC.

Prices are plain numbers; ``decimals`` of the symbol says how many places mean something.
"""

from dataclasses import dataclass

from services.charts.domain.pulses import DataStatus
from shared.events import AlertFired, Candle, CandleClosed, Level, SignalGenerated, Zone
from shared.market.timeframes import Timeframe


@dataclass(frozen=True, slots=True)
class ShownCandle:
    """Prices of the window ``[open_at, at)``; ``closed`` ones never change again."""

    open_at: int
    at: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    closed: bool


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """A price level in force; ``timeframe`` is that of the candles it was found on."""

    timeframe: Timeframe
    key: str
    ref: str
    price: float
    side: str
    formed_at: int
    confirmed_at: int


@dataclass(frozen=True, slots=True)
class ShownZone:
    """A price range in force."""

    timeframe: Timeframe
    key: str
    low: float
    high: float
    side: str
    formed_at: int
    confirmed_at: int
    status: str


@dataclass(frozen=True, slots=True)
class ShownSignal:
    """A rule's firing at a level, and the sentence that says why."""

    id: str
    symbol: str
    at: int
    timeframe: Timeframe
    rule: str
    action: str
    direction: str
    level: str
    level_price: float
    price: float
    gap: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """The receipt of one alert on one channel, with its signal where that is still known."""

    id: str
    symbol: str
    at: int
    fired_at: int
    channel: str
    status: str
    attempts: int
    text: str
    detail: str
    signal_id: str
    signal: ShownSignal | None


@dataclass(frozen=True, slots=True)
class ShownSymbol:
    """A symbol that has candles: its newest price, and the last closed day's for comparison.

    ``data`` says how fresh its prices are: fresh, late, stale, closed, or empty if nobody watches.
    """

    symbol: str
    timeframes: tuple[Timeframe, ...]
    source: str
    decimals: int
    price: float
    at: int
    previous_close: float | None
    data: DataStatus = ""


def candle_of(event: CandleClosed) -> ShownCandle:
    """A closed candle from its own event."""
    return ShownCandle(
        event.open_at, event.at, event.open, event.high, event.low, event.close, event.volume, True
    )


def candle_from(value: Candle, *, closed: bool) -> ShownCandle:
    """A candle from its bare prices."""
    return ShownCandle(
        value.open_at,
        value.at,
        value.open,
        value.high,
        value.low,
        value.close,
        value.volume,
        closed,
    )


def level_of(level: Level, timeframe: Timeframe) -> ShownLevel:
    """A level as found on a timeframe."""
    return ShownLevel(
        timeframe,
        level.key,
        level.ref,
        level.price,
        level.side,
        level.formed_at,
        level.confirmed_at,
    )


def zone_of(zone: Zone, timeframe: Timeframe) -> ShownZone:
    """A zone as found on a timeframe."""
    return ShownZone(
        timeframe,
        zone.key,
        zone.low,
        zone.high,
        zone.side,
        zone.formed_at,
        zone.confirmed_at,
        zone.status,
    )


def signal_of(event: SignalGenerated) -> ShownSignal:
    """A signal without the numbers that only its rule understands."""
    return ShownSignal(
        id=event.id,
        symbol=event.symbol,
        at=event.at,
        timeframe=event.timeframe,
        rule=event.rule,
        action=event.action,
        direction=event.direction,
        level=event.level,
        level_price=event.level_price,
        price=event.price,
        gap=event.gap,
        reason=event.reason,
    )


def alert_of(event: AlertFired, signal: ShownSignal | None) -> ShownAlert:
    """A receipt, joined with its signal."""
    return ShownAlert(
        id=event.id,
        symbol=event.symbol,
        at=event.at,
        fired_at=event.fired_at,
        channel=event.channel,
        status=event.status,
        attempts=event.attempts,
        text=event.text,
        detail=event.detail,
        signal_id=event.signal,
        signal=signal,
    )
