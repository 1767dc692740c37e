"""How many decimal places prices mean, read off the prices themselves."""

from collections.abc import Sequence

from services.charts.domain.shapes import ShownCandle

DECIMALS_MAX = 8


def decimals_of(candles: Sequence[ShownCandle]) -> int:
    """The most decimal places that any of the prices needs; 2 where there are no prices."""
    if not candles:
        return 2
    return max(
        _places(price)
        for candle in candles
        for price in (candle.open, candle.high, candle.low, candle.close)
    )


def _places(price: float) -> int:
    digits = f"{price:.{DECIMALS_MAX}f}".rstrip("0")
    return len(digits) - digits.index(".") - 1
