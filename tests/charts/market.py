"""A small made-up market for tests and for looking at the page: seeded, and nothing but events.

Windows are aligned to UTC and know no sessions; levels are yesterday's high and low, classic pivots
and the last swings. It stands in for four services, so it is kept simple and not kept true.
"""

import json
import math
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Self

from shared.events import (
    AlertFired,
    Candle,
    CandleClosed,
    Event,
    Level,
    LevelComputed,
    SignalGenerated,
)
from shared.events.candle import candle_id
from shared.market.timeframes import LENGTH_US, TIMEFRAMES, Timeframe

SECOND = 1_000_000
STEP_S = 5
# 2026-11-17 00:00 UTC, a Tuesday.
BEGIN = 1_794_873_600 * SECOND


@dataclass
class Forming:
    """The window that prices fall into now."""

    open_at: int
    at: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    @classmethod
    def at_price(cls, open_at: int, at: int, price: float) -> Self:
        return cls(open_at, at, price, price, price, price, 0.0)

    def add(self, price: float, size: float) -> None:
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.volume += size


@dataclass
class Walk:
    """One symbol's price and everything derived from it."""

    symbol: str
    price: float
    decimals: int
    volatility: float
    sized: bool
    chance: Random
    forming: dict[Timeframe, Forming] = field(default_factory=dict)
    candles: dict[Timeframe, list[Candle]] = field(default_factory=dict)
    levels: dict[Timeframe, list[Level]] = field(default_factory=dict)
    fired_at: dict[str, int] = field(default_factory=dict)
    pos: int = 0

    def step(self, at: int) -> Iterator[Event]:
        """One price at a time, after the closes of the windows that it lies beyond."""
        yield from self._close(at)
        hour = at / SECOND / 3600 % 24
        busy = 0.4 + 0.6 * math.sin(math.pi * hour / 24) ** 2
        before = self.price
        shock = self.chance.gauss(0, self.volatility * busy)
        self.price = round(max(before * (1 + shock), 10.0**-self.decimals), self.decimals)
        size = float(self.chance.randint(1, 40)) if self.sized else 0.0
        for timeframe in TIMEFRAMES:
            length = LENGTH_US[timeframe]
            open_at = at // length * length
            window = self.forming.setdefault(
                timeframe,
                Forming.at_price(open_at, open_at + length, self.price),
            )
            window.add(self.price, size)
        self.pos += 1
        yield from self._signals(before, at)

    def view(self) -> str:
        """What the candles stage would show."""
        candles = {timeframe: vars(window) for timeframe, window in self.forming.items()}
        return json.dumps({"price": self.price, "source": "demo", "candles": candles})

    def _close(self, at: int) -> Iterator[Event]:
        for timeframe in TIMEFRAMES:
            window = self.forming.get(timeframe)
            if window is None or window.at > at:
                continue
            candle = Candle(**vars(window))
            self.candles.setdefault(timeframe, []).append(candle)
            del self.forming[timeframe]
            self.pos += 1
            yield closed_candle(self.symbol, timeframe, candle, self.pos)
            self.levels[timeframe] = list(self._found(timeframe))
            yield computed(self.symbol, timeframe, candle, self.levels[timeframe])

    def _found(self, timeframe: Timeframe) -> Iterator[Level]:
        candles = self.candles[timeframe]
        last = candles[-1]
        if timeframe == "1d":
            pivot = (last.high + last.low + last.close) / 3
            yield level("previous_day.high", last.high, "resistance", last.at)
            yield level("previous_day.low", last.low, "support", last.at)
            yield level("pivot.classic.pp", pivot, "pivot", last.at)
            yield level("pivot.classic.r1", 2 * pivot - last.low, "resistance", last.at)
            yield level("pivot.classic.s1", 2 * pivot - last.high, "support", last.at)
            return
        fives = [candles[i : i + 5] for i in range(max(0, len(candles) - 120), len(candles) - 4)]
        highs = [five for five in fives if five[2].high == max(one.high for one in five)]
        lows = [five for five in fives if five[2].low == min(one.low for one in five)]
        for five in [five for five in highs if five[2].high > last.close][-2:]:
            yield level("swing.high", five[2].high, "resistance", five[2].at, five[4].at)
        for five in [five for five in lows if five[2].low < last.close][-2:]:
            yield level("swing.low", five[2].low, "support", five[2].at, five[4].at)

    def _signals(self, before: float, at: int) -> Iterator[Event]:
        watched: tuple[Timeframe, ...] = ("15m", "1d")
        for timeframe in watched:
            for one in self.levels.get(timeframe, []):
                crossed = min(before, self.price) < one.price <= max(before, self.price)
                if not crossed or at - self.fired_at.get(one.key, 0) < 7200 * SECOND:
                    continue
                self.fired_at[one.key] = at
                signal = self._signal(timeframe, one, at, up=self.price > before)
                yield signal
                yield fired(signal)

    def _signal(
        self, timeframe: Timeframe, at_level: Level, at: int, *, up: bool
    ) -> SignalGenerated:
        action = self.chance.choice(["touch", "break", "sweep"])
        names = {"touch": "touched", "break": "broke", "sweep": "swept"}
        rising = up == (action == "break")
        words = at_level.key.replace("previous_day", "yesterday's").replace(".classic", "")
        price = f"{at_level.price:.{self.decimals}f}"
        text = f"{self.symbol} {names[action]} {words.replace('.', ' ')} {price}"
        return SignalGenerated(
            symbol=self.symbol,
            at=at,
            pos=self.pos,
            config="levels",
            rule=f"{action}_{at_level.key.split('.')[0]}",
            rule_version="0a1b2c3d",
            action=action,  # type: ignore[arg-type]
            direction="long" if rising else "short",
            timeframe=timeframe,
            level=at_level.ref,
            level_price=at_level.price,
            price=self.price,
            gap=False,
            operands={},
            reason=f"{text} from {'below' if up else 'above'}",
            expires_at=None,
            cause=f"tick:{self.symbol}:demo:{at}:0",
        )


class Market:
    """Some symbols walking through the same time."""

    def __init__(self, seed: int = 7, symbols: Container[str] | None = None) -> None:
        chance = Random(seed)
        specs = (
            ("DAX", 24_180.0, 1, 1.1e-4, False),
            ("EURUSD", 1.0842, 5, 4.5e-5, False),
            ("GC=F", 4_081.3, 1, 1.2e-4, True),
            ("MES", 6_712.5, 2, 9e-5, True),
            ("NIFTY 50", 25_910.4, 2, 9e-5, False),
            ("VIX", 18.42, 2, 6e-4, False),
        )
        self.walks = {
            symbol: Walk(symbol, price, decimals, volatility, sized, Random(chance.random()))
            for symbol, price, decimals, volatility, sized in specs
            if symbols is None or symbol in symbols
        }
        self.at = BEGIN

    def advance(self, seconds: int) -> list[Event]:
        """The events of the next so many seconds."""
        events: list[Event] = []
        for _ in range(seconds // STEP_S):
            for walk in self.walks.values():
                events += walk.step(self.at)
            self.at += STEP_S * SECOND
        return events

    def views(self) -> dict[str, str]:
        """The forming candles of every symbol."""
        return {symbol: walk.view() for symbol, walk in self.walks.items()}


def level(key: str, price: float, side: str, formed_at: int, confirmed_at: int = 0) -> Level:
    return Level(
        key=key,
        price=price,
        side=side,  # type: ignore[arg-type]
        formed_at=formed_at,
        confirmed_at=max(formed_at, confirmed_at),
    )


def closed_candle(symbol: str, timeframe: Timeframe, candle: Candle, pos: int = 1) -> CandleClosed:
    return CandleClosed(
        symbol=symbol,
        at=candle.at,
        pos=pos,
        timeframe=timeframe,
        open_at=candle.open_at,
        session_at=candle.open_at,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        ticks=12,
        source="demo",
        origin="live",
        cause=f"close:{symbol}:{candle.at}",
    )


def computed(
    symbol: str, timeframe: Timeframe, candle: Candle, levels: list[Level]
) -> LevelComputed:
    return LevelComputed(
        symbol=symbol,
        at=candle.at,
        pos=1,
        timeframe=timeframe,
        session_at=candle.open_at,
        origin="live",
        candle=candle,
        levels=tuple(levels),
        values={},
        zones=(),
        cause=candle_id(symbol, timeframe, candle.at),
    )


def fired(signal: SignalGenerated) -> AlertFired:
    """The console's receipt of a signal, a few milliseconds after it."""
    return AlertFired(
        symbol=signal.symbol,
        at=signal.at,
        pos=signal.pos,
        channel="console",
        signal=signal.id,
        status="delivered",
        attempts=1,
        text=f"{signal.symbol}: {signal.reason}",
        detail="",
        fired_at=signal.at + 4_000,
        cause=signal.id,
    )
