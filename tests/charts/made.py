"""Events built by hand for tests, with the few values that matter named."""

from services.charts.domain.book import Key
from shared.events import AlertFired, Candle, CandleClosed, LevelComputed, SignalGenerated
from shared.events.signal import Action
from shared.market.timeframes import LENGTH_US, Timeframe
from tests.charts.market import closed_candle, computed, fired, level

KEY: Key = ("EURUSD", "1m")
MINUTE = 60_000_000
# 2026-11-20 09:00 UTC
NINE = 1_795_165_200_000_000


def candle(minute: int, close: float = 1.1, timeframe: Timeframe = "1m") -> Candle:
    """The candle that opens so many minutes after nine; opens at 1.1, wicks of 0.01."""
    open_at = NINE + minute * MINUTE
    high, low = max(1.1, close) + 0.01, min(1.1, close) - 0.01
    return Candle(
        open_at=open_at,
        at=open_at + LENGTH_US[timeframe],
        open=1.1,
        high=round(high, 5),
        low=round(low, 5),
        close=close,
    )


def closed(
    minute: int, close: float = 1.1, *, symbol: str = "EURUSD", timeframe: Timeframe = "1m"
) -> CandleClosed:
    """The event that such a candle has closed."""
    return closed_candle(symbol, timeframe, candle(minute, close, timeframe))


def reading(
    minute: int,
    *prices: float,
    symbol: str = "EURUSD",
    timeframe: Timeframe = "1m",
    key: str = "swing.high",
) -> LevelComputed:
    """The levels after such a candle, one at each price, formed in the order given."""
    levels = [level(key, price, "resistance", NINE + i) for i, price in enumerate(prices)]
    return computed(symbol, timeframe, candle(minute, timeframe=timeframe), levels)


def signal(
    minute: int,
    *,
    symbol: str = "EURUSD",
    timeframe: Timeframe = "1d",
    action: Action = "break",
    key: str = "previous_day.high",
) -> SignalGenerated:
    """A signal so many minutes after nine."""
    return SignalGenerated(
        symbol=symbol,
        at=NINE + minute * MINUTE,
        pos=1,
        config="liquidity",
        rule=f"previous_day_{action}",
        rule_version="0a1b2c3d",
        action=action,
        direction="long",
        timeframe=timeframe,
        level=f"{key}@2026-11-19T22:00Z",
        level_price=1.1,
        price=1.1001,
        gap=False,
        operands={},
        reason=f"{symbol} broke yesterday's high 1.10000 upwards at 1.10010",
        expires_at=None,
        cause="tick:EURUSD:demo:2026-11-20T09:00Z:0",
    )


def alert(minute: int, *, symbol: str = "EURUSD", channel: str = "console") -> AlertFired:
    """The receipt of such a signal."""
    return fired(signal(minute, symbol=symbol)).model_copy(update={"channel": channel})
