"""The forming candles of a symbol, out of the text that the candles stage shows of it.

The text is JSON, as in
``{"at": 1700000012000000, "price": 1.0912, "source": "demo", "candles": {"1m": {"open_at":
1700000000000000, "at": 1700000060000000, "open": 1.0911, "high": 1.0913, "low": 1.0910, "close":
1.0912, "volume": 0.0}}}``; members not named here are nobody's business but the stage's.
"""

import json
from typing import Any

from services.charts.domain.shapes import ShownCandle, candle_from
from shared.events import Candle
from shared.market.timeframes import TIMEFRAMES, Timeframe


def forming_candles(text: str) -> dict[Timeframe, ShownCandle]:
    """By timeframe, those that have a price.

    Raises:
        ValueError: the text is not such JSON, or a candle in it is impossible.
    """
    shown: Any = json.loads(text)
    candles = shown.get("candles") if isinstance(shown, dict) else None
    if not isinstance(candles, dict):
        raise ValueError(f"a view holds candles by timeframe, not {text[:80]!r}")
    return {
        timeframe: candle_from(_candle(candles[timeframe]), closed=False)
        for timeframe in TIMEFRAMES
        if candles.get(timeframe) is not None
    }


def _candle(fields: dict[str, Any]) -> Candle:
    return Candle(**{name: fields[name] for name in Candle.model_fields if name in fields})
