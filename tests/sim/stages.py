"""A chain of pure stages that remembers everything: one event lost, doubled or late shows for ever.

Each stage also has a price that it cannot decide on, so that poison reaches every one of them.
"""

import json
from collections.abc import Sequence

from shared.bus.step import StageSpec, State
from shared.events import (
    Candle,
    CandleClosed,
    Close,
    Event,
    LevelComputed,
    SignalGenerated,
    Tick,
)
from shared.events.ticks import Ticks

# Ticks at these prices are poison to one stage: to the second by way of the candle they close.
BAD_FOR_CANDLES = 666.0
BAD_FOR_LEVELS = 777.0
BAD_FOR_SIGNALS = 888.0


class Memory:
    """A symbol's numbers, saved as JSON."""

    def __init__(self, state: State) -> None:
        self._numbers: dict[str, list[float]] = {name: json.loads(t) for name, t in state.items()}
        self._dirty: set[str] = set()

    def recall(self, symbol: str, start: list[float]) -> list[float]:
        return self._numbers.get(symbol, start)

    def keep(self, symbol: str, numbers: list[float]) -> None:
        self._numbers[symbol] = numbers
        self._dirty.add(symbol)

    def process(self, events: Sequence[Event]) -> list[Event]:
        raise NotImplementedError

    def ticks(self, run: Ticks) -> list[Event]:
        """The runtime's quick way, which must lead to the same place."""
        return self.process(run.models())

    def changes(self) -> dict[str, str]:
        dirty, self._dirty = self._dirty, set()
        return {symbol: json.dumps(self._numbers[symbol]) for symbol in sorted(dirty)}


class Candles(Memory):
    """Folds a symbol's ticks; a close gives the candle: their highest price and their volume."""

    def process(self, events: Sequence[Event]) -> list[Event]:
        outputs: list[Event] = []
        for event in events:
            if isinstance(event, Tick):
                high, volume, ticks = self.recall(event.symbol, [0, 0, 0])
                # Changed before the poison shows: a half-done step must leave no trace.
                self.keep(event.symbol, [max(high, event.price), volume + event.size, ticks + 1])
                if event.price == BAD_FOR_CANDLES:
                    raise ValueError(f"no candle at {event.price}")
            elif isinstance(event, Close):
                high, volume, ticks = self.recall(event.symbol, [0, 0, 0])
                if ticks:
                    outputs.append(_candle(event, high, volume, int(ticks)))
                    self.keep(event.symbol, [0, 0, 0])
        return outputs


class Levels(Memory):
    """Adds up a symbol's volume over all its candles."""

    def process(self, events: Sequence[Event]) -> list[Event]:
        outputs: list[Event] = []
        for event in events:
            if isinstance(event, CandleClosed):
                total, candles = self.recall(event.symbol, [0, 0])
                self.keep(event.symbol, [total + event.volume, candles + 1])
                if event.close == BAD_FOR_LEVELS:
                    raise ValueError(f"no level at {event.close}")
                outputs.append(_level(event, total + event.volume, candles + 1))
        return outputs


class Signals(Memory):
    """Tells of every tick which volume was in force, and counts the symbol's ticks."""

    def process(self, events: Sequence[Event]) -> list[Event]:
        outputs: list[Event] = []
        for event in events:
            total, ticks = self.recall(event.symbol, [0, 0])
            if isinstance(event, LevelComputed):
                self.keep(event.symbol, [event.values["total"], ticks])
            elif isinstance(event, Tick):
                self.keep(event.symbol, [total, ticks + 1])
                if event.price == BAD_FOR_SIGNALS:
                    raise ValueError(f"no signal at {event.price}")
                outputs.append(_signal(event, total, ticks + 1))
        return outputs


CANDLES = StageSpec("candles", primary="tick", output="candle_closed", restore=Candles)
LEVELS = StageSpec("indicators", primary="candle_closed", output="level_computed", restore=Levels)
SIGNALS = StageSpec(
    "signals",
    primary="tick",
    output="signal_generated",
    restore=Signals,
    joined="level_computed",
)
CHAIN = (CANDLES, LEVELS, SIGNALS)


def _candle(event: Close, price: float, volume: float, ticks: int) -> CandleClosed:
    return CandleClosed(
        symbol=event.symbol,
        at=event.at,
        pos=event.pos,
        timeframe="1m",
        open_at=event.windows[0].open_at,
        session_at=0,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=volume,
        ticks=ticks,
        source="sim",
        origin="live",
        cause=event.id,
    )


def _level(event: CandleClosed, total: float, candles: float) -> LevelComputed:
    return LevelComputed(
        symbol=event.symbol,
        at=event.at,
        pos=event.pos,
        timeframe="1m",
        session_at=0,
        origin="live",
        candle=Candle(**event.candle.model_dump()),
        levels=(),
        values={"total": total, "candles": candles},
        zones=(),
        cause=event.id,
    )


def _signal(event: Tick, total: float, ticks: float) -> SignalGenerated:
    return SignalGenerated(
        symbol=event.symbol,
        at=event.at,
        pos=event.pos,
        config="sim",
        rule="tell",
        rule_version="1",
        action="touch",
        direction="long",
        timeframe="1m",
        level="none",
        level_price=total,
        price=event.price,
        gap=False,
        operands={"ticks": ticks},
        reason="told",
        expires_at=None,
        cause=event.id,
    )
