"""The timeframes that candles are built in, in the fixed order in which a close names them."""

from typing import Literal, get_args

Timeframe = Literal["1m", "5m", "15m", "1h", "4h", "1d"]
TIMEFRAMES: tuple[Timeframe, ...] = get_args(Timeframe)

_MINUTE = 60_000_000
# Nominal lengths in microseconds; a real window can be shorter, where a session ends inside it.
LENGTH_US: dict[Timeframe, int] = {
    "1m": _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "1h": 60 * _MINUTE,
    "4h": 240 * _MINUTE,
    "1d": 1440 * _MINUTE,
}
