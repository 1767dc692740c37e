"""Independent answers: TA-Lib, and plain batch formulas where TA-Lib has none.

Each oracle takes a whole series and gives arrays by output, nan where there is no value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import talib
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from talib._ta_lib import MA_Type

from shared.events import CandleClosed

Array = NDArray[np.float64]
SMA = MA_Type.SMA


@dataclass(frozen=True)
class Columns:
    """A series of candles, column by column."""

    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array
    session: Array


def columns(candles: Sequence[CandleClosed]) -> Columns:
    names = ("open", "high", "low", "close", "volume", "session_at")
    return Columns(*(np.array([getattr(c, n) for c in candles], dtype=float) for n in names))


def bollinger(c: Columns) -> dict[str, Array]:
    """Two passes over each window."""
    middle, deviation = np.full((2, len(c.close)), np.nan)
    if len(c.close) >= 20:
        windows = sliding_window_view(c.close, 20)
        middle[19:], deviation[19:] = windows.mean(axis=1), windows.std(axis=1)
    return {
        "upper": middle + 2 * deviation,
        "middle": middle,
        "lower": middle - 2 * deviation,
    }


def vwap(c: Columns) -> dict[str, Array]:
    """Sums over each session."""
    typical = (c.high + c.low + c.close) / 3
    value = np.full(len(typical), np.nan)
    for session in np.unique(c.session):
        of = c.session == session
        volume = np.cumsum(c.volume[of])
        with np.errstate(invalid="ignore"):
            value[of] = np.cumsum(typical[of] * c.volume[of]) / volume
    return {"value": value}


def supertrend(c: Columns) -> dict[str, Array]:
    """The bands as TradingView's manual writes them, index by index, over TA-Lib's ATR."""
    away = 3 * talib.ATR(c.high, c.low, c.close, 10)
    upper, lower = (c.high + c.low) / 2 + away, (c.high + c.low) / 2 - away
    value, trend = np.full((2, len(away)), np.nan)
    for i in range(10, len(away)):
        if i > 10:
            upper[i] = min(upper[i], upper[i - 1]) if c.close[i - 1] <= upper[i - 1] else upper[i]
            lower[i] = max(lower[i], lower[i - 1]) if c.close[i - 1] >= lower[i - 1] else lower[i]
        was_up = i > 10 and trend[i - 1] == 1
        up = c.close[i] >= lower[i] if was_up else c.close[i] > upper[i]
        trend[i], value[i] = (1, lower[i]) if up else (-1, upper[i])
    return {"value": value, "trend": trend}


def atr_stop(c: Columns) -> dict[str, Array]:
    """Each stop is the best border since the close last was beyond it."""
    away = 3 * talib.ATR(c.high, c.low, c.close, 14)
    upper, lower, trend = np.full((3, len(away)), np.nan)
    above = below = 14
    for i in range(14, len(away)):
        trend[i] = trend[i - 1]
        if i > 14 and c.close[i] > upper[i - 1]:
            above, trend[i] = i, 1
        if i > 14 and c.close[i] < lower[i - 1]:
            below, trend[i] = i, -1
        upper[i] = (c.close + away)[above : i + 1].min()
        lower[i] = (c.close - away)[below : i + 1].max()
    return {"upper": upper, "lower": lower, "trend": trend}


def swings(c: Columns) -> dict[str, Array]:
    """The latest peak and trough, each two candles old at least; of equal ones the last."""

    def latest(prices: Array) -> Array:
        value = np.full(len(prices), np.nan)
        if len(prices) < 5:
            return value
        before2, before1, middle, after1, after2 = sliding_window_view(prices, 5).T
        peak = (middle >= before2) & (middle >= before1) & (middle > after1) & (middle > after2)
        known = np.maximum.accumulate(np.where(peak, np.arange(len(peak)), -1))
        value[4:] = np.where(known < 0, np.nan, middle[known])
        return value

    return {"high": latest(c.high), "low": -latest(-c.low)}


ORACLES: dict[str, Callable[[Columns], dict[str, Array]]] = {
    "sma:20": lambda c: {"value": talib.SMA(c.close, 20)},
    "ema:20": lambda c: {"value": talib.EMA(c.close, 20)},
    "rsi:14": lambda c: {"value": talib.RSI(c.close, 14)},
    "atr:14": lambda c: {"value": talib.ATR(c.high, c.low, c.close, 14)},
    "macd:12:26:9": lambda c: dict(
        zip(("line", "signal", "histogram"), talib.MACD(c.close, 12, 26, 9), strict=True)
    ),
    "bollinger:20:2": bollinger,
    "adx:14": lambda c: {
        "value": talib.ADX(c.high, c.low, c.close, 14),
        "plus": talib.PLUS_DI(c.high, c.low, c.close, 14),
        "minus": talib.MINUS_DI(c.high, c.low, c.close, 14),
    },
    "stochastic:14:3:3": lambda c: dict(
        zip("kd", talib.STOCH(c.high, c.low, c.close, 14, 3, SMA, 3, SMA), strict=True)
    ),
    "donchian:20": lambda c: {
        "upper": talib.MAX(c.high, 20),
        "middle": (talib.MAX(c.high, 20) + talib.MIN(c.low, 20)) / 2,
        "lower": talib.MIN(c.low, 20),
    },
    "vwap": vwap,
    "supertrend:10:3": supertrend,
    "atr_stop:14:3": atr_stop,
    "swing:2": swings,
}
