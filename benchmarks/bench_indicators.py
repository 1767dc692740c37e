"""What indicators and levels cost: against talipp, at a mass close, and over history.

Times are of the processor, on one core, so that a busy machine changes little.
"""

import gc
from collections.abc import Callable
from random import Random
from time import process_time
from typing import Any

from talipp import indicators as talipp
from talipp.ohlcv import OHLCV

from services.indicators.domain.board import Board
from services.indicators.domain.catalogue import parse
from services.indicators.domain.defaults import recipes
from services.indicators.domain.stage import STAGE
from shared.events import CandleClosed
from shared.service.collector import calm_collector

SYMBOLS = 10_000
WARM = 50
HISTORY = 20_000
REPEATS = 3
_QUARTER_US = 900_000_000

# What both have, with the same parameters.
BOTH: dict[str, Callable[[], Any]] = {
    "sma:20": lambda: talipp.SMA(20),
    "ema:20": lambda: talipp.EMA(20),
    "rsi:14": lambda: talipp.RSI(14),
    "atr:14": lambda: talipp.ATR(14),
    "macd:12:26:9": lambda: talipp.MACD(12, 26, 9),
    "bollinger:20:2": lambda: talipp.BB(20, 2),
    "donchian:20": lambda: talipp.DonchianChannels(20),
    "vwap": talipp.VWAP,
    "adx:14": lambda: talipp.ADX(14, 14),
    "stochastic:14:1:3": lambda: talipp.Stoch(14, 3),
    "supertrend:10:3": lambda: talipp.SuperTrend(10, 3),
}
_OF_CLOSES = ("sma", "ema", "rsi", "macd", "bollinger")


def rows() -> list[dict[str, Any]]:
    """The figures: each with its goal, and how it compares with its anchor or goal."""
    return [_against_talipp(), _mass_close(), _history()]


def walk(symbol: str, count: int, seed: int) -> list[CandleClosed]:
    """A random walk in quarters of an hour, in sessions of a day; the same for the same seed."""
    chance, price, candles = Random(seed), 1.1, []
    for n in range(count):
        open_, price = price, price * (1 + chance.gauss(0, 3e-4))
        candles.append(
            CandleClosed(
                symbol=symbol,
                at=(n + 1) * _QUARTER_US,
                pos=n + 1,
                timeframe="15m",
                open_at=n * _QUARTER_US,
                session_at=n // 96 * 96 * _QUARTER_US,
                open=open_,
                high=max(open_, price) * (1 + abs(chance.gauss(0, 2e-4))),
                low=min(open_, price) * (1 - abs(chance.gauss(0, 2e-4))),
                close=price,
                volume=100.0,
                ticks=10,
                source="bench",
                origin="live",
                cause="bench",
            )
        )
    return candles


def _best(run: Callable[[], float]) -> float:
    return min(run() for _ in range(REPEATS))


def _against_talipp() -> dict[str, Any]:
    candles = walk("BENCH", 3_000, 1)
    theirs = [OHLCV(c.open, c.high, c.low, c.close, c.volume) for c in candles]
    closes = [c.close for c in candles]

    def ours() -> float:
        states = [parse(name).start() for name in BOTH]
        start = process_time()
        for state in states:
            update = state.update
            for candle in candles:
                update(candle)
        return process_time() - start

    def other() -> float:
        pairs = [
            (make(), closes if name.startswith(_OF_CLOSES) else theirs)
            for name, make in BOTH.items()
        ]
        start = process_time()
        for indicator, values in pairs:
            add = indicator.add
            for value in values:
                add(value)
        return process_time() - start

    value, anchor = (_best(run) / len(candles) * 1e6 for run in (ours, other))
    return {
        "name": "indicators_vs_talipp",
        "value": round(value, 2),
        "unit": f"us a candle for {len(BOTH)} indicators",
        "anchor": round(anchor, 2),
        "ratio": round(anchor / value, 1),
        "goal": 4.0,
        "met": anchor / value >= 4.0,
    }


def _mass_close() -> dict[str, Any]:
    history = walk("BENCH", WARM + REPEATS, 2)
    step = STAGE.restore({})
    for n in range(SYMBOLS):
        symbol = {"symbol": f"S{n}"}
        step.process([candle.model_copy(update=symbol) for candle in history[:WARM]])
    step.changes()
    thresholds = gc.get_threshold()
    calm_collector()
    taken = []
    for candle in history[WARM:]:
        closing = [candle.model_copy(update={"symbol": f"S{n}"}) for n in range(SYMBOLS)]
        start = process_time()
        readings = step.process(closing)
        wires = [reading.wire() for reading in readings]
        changes = step.changes()
        taken.append(process_time() - start)
        gc.freeze()
        assert len(wires) == len(changes) == SYMBOLS
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    value = min(taken)
    return {
        "name": "levels_10k_close_s",
        "value": round(value, 3),
        "unit": "s until events and state are ready to be written",
        "anchor": None,
        "ratio": round(1.0 / value, 2),
        "goal": 1.0,
        "met": value <= 1.0,
    }


def _history() -> dict[str, Any]:
    candles = walk("BENCH", HISTORY, 3)

    def run() -> float:
        board = Board(recipes()["15m"], {})
        start = process_time()
        for candle in candles:
            board.update(candle)
        return process_time() - start

    value = HISTORY / _best(run)
    return {
        "name": "seed_candles_per_s",
        "value": round(value),
        "unit": "candles/s through the default set, without the readings",
        "anchor": None,
        "ratio": round(value / 100_000, 2),
        "goal": 100_000,
        "met": value >= 100_000,
    }


if __name__ == "__main__":
    for row in rows():
        print(row)
