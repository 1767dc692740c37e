"""The candles stage: from the spine's prices and closes to closed candles."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from services.ingest.domain.cell import Cell
from services.ingest.domain.sessions import SessionCalendar, window
from services.ingest.domain.versions import INSTRUMENT
from shared.bus.step import StageSpec
from shared.events import (
    CandleClosed,
    CandleIn,
    Close,
    Config,
    ConfigPassed,
    Event,
    Tick,
    Window,
)
from shared.events.control import INDICATORS_KIND
from shared.events.ticks import Ticks
from shared.events.trusted import trusted
from shared.market.instruments import Instrument, Session
from shared.market.timeframes import TIMEFRAMES, Timeframe

_SESSION = "@session:"


class _Last(NamedTuple):
    """The symbol's newest price."""

    at: int
    price: float
    source: str


class Forming:
    """One symbol's open windows.

    Each timeframe has a cell, and a price goes into the smallest one alone. A close pours the cell
    of a timeframe that ends into the next larger, so a cell holds what its smaller neighbours lack.
    """

    __slots__ = ("_last", "cells", "finest")

    def __init__(self) -> None:
        self.cells: dict[Timeframe, Cell] = {timeframe: Cell() for timeframe in TIMEFRAMES}
        self.finest = self.cells["1m"]
        self._last: _Last | None = None

    def fold(self, candle: CandleIn) -> None:
        """Fold in a provider's candle."""
        cell = Cell()
        cell.fill(candle)
        self.cells[candle.timeframe].pour(cell)

    def close(self, close: Close) -> Iterator[CandleClosed]:
        """The candles of the windows that end, and room for their successors."""
        self._last = self.last
        for ended in close.windows:
            cell = self.cells[ended.timeframe]
            if cell.is_empty:
                continue
            yield _closed(close, ended, cell)
            larger = TIMEFRAMES.index(ended.timeframe) + 1
            if larger < len(TIMEFRAMES):
                self.cells[TIMEFRAMES[larger]].pour(cell)
            cell.clear()

    @property
    def last(self) -> _Last | None:
        """The newest price, whether its window is open or closed."""
        newest = max(self.cells.values(), key=lambda cell: cell.last_at)
        if newest.is_empty or (self._last is not None and newest.last_at < self._last.at):
            return self._last
        return _Last(newest.last_at, newest.close, newest.source)

    def whole(self) -> Iterator[tuple[Timeframe, Cell]]:
        """What each open window holds so far, smaller ones included."""
        whole = Cell()
        for timeframe, cell in self.cells.items():
            whole.pour(cell)
            if not whole.is_empty:
                yield timeframe, whole

    def save(self) -> str:
        """The state as JSON text."""
        cells = {name: cell.save() for name, cell in self.cells.items() if not cell.is_empty}
        last = None if self._last is None else tuple(self._last)
        return orjson.dumps({"last": last, "cells": cells}).decode()

    @classmethod
    def load(cls, text: str) -> "Forming":
        """What ``save`` wrote down."""
        saved = orjson.loads(text)
        forming = cls()
        forming._last = None if saved["last"] is None else _Last(*saved["last"])
        for timeframe, values in saved["cells"].items():
            forming.cells[timeframe].load(values)
        return forming


class CandlesStep:
    """Spine entries in, ``CandleClosed`` out; see shared/bus/step.py for the contract.

    A candle is the prices of its window by their own times: those that come out of order count as
    if they had not. Only a close ends it. The session on the spine serves the views alone.
    """

    def __init__(self, state: Mapping[str, str]) -> None:
        self._symbols: dict[str, Forming] = {}
        self._sessions: dict[str, Session] = {}
        for name, text in state.items():
            if name.startswith(_SESSION):
                self._sessions[name.removeprefix(_SESSION)] = Session.model_validate_json(text)
            else:
                self._symbols[name] = Forming.load(text)
        self._calendars: dict[str, SessionCalendar] = {}
        self._dirty: set[str] = set()
        self._shown: set[str] = set()

    def process(self, events: Sequence[Event]) -> list[Event]:
        """The closed candles that follow from the next entries, and settings of indicators."""
        out: list[Event] = []
        touched = set()
        for event in events:
            if type(event) is Tick:
                symbol = event.symbol
                forming = self._symbols.get(symbol) or self._forming(symbol)
                forming.finest.add(event.at, event.price, event.size, event.source)
                touched.add(symbol)
            elif type(event) is Close:
                out += self._forming(event.symbol).close(event)
                touched.add(event.symbol)
            elif type(event) is CandleIn:
                self._forming(event.symbol).fold(event)
                touched.add(event.symbol)
            elif type(event) is Config:
                if event.kind == INSTRUMENT:
                    self._set_session(event)
                elif event.kind == INDICATORS_KIND:
                    out.append(ConfigPassed(**event.__dict__))
        self._dirty |= touched
        self._shown |= touched
        return out

    def ticks(self, run: Ticks) -> list[Event]:
        """As ``process``, of nothing but ticks: no candle follows from them."""
        known = self._symbols
        rows = zip(run.symbol, run.at, run.price, run.size, run.source, strict=True)
        for symbol, at, price, size, source in rows:
            forming = known.get(symbol) or self._forming(symbol)
            forming.finest.add(at, price, size, source)
        touched = set(run.symbol)
        self._dirty |= touched
        self._shown |= touched
        return []

    def changes(self) -> dict[str, str]:
        """The state fields changed since the last call."""
        changed = {name: self._saved(name) for name in sorted(self._dirty)}
        self._dirty.clear()
        return changed

    def views(self) -> dict[str, str]:
        """Last price and forming candles of the symbols touched since the last call."""
        shown = {symbol: self._view(symbol) for symbol in sorted(self._shown)}
        self._shown.clear()
        return shown

    def _forming(self, symbol: str) -> Forming:
        forming = self._symbols.get(symbol)
        if forming is None:
            forming = self._symbols[symbol] = Forming()
        return forming

    def _set_session(self, config: Config) -> None:
        self._sessions[config.symbol] = Instrument.model_validate(config.body).session
        self._calendars.pop(config.symbol, None)
        self._dirty.add(f"{_SESSION}{config.symbol}")

    def _saved(self, name: str) -> str:
        if name.startswith(_SESSION):
            return self._sessions[name.removeprefix(_SESSION)].model_dump_json()
        return self._symbols[name].save()

    def _view(self, symbol: str) -> str:
        """JSON: ``at``, ``price``, ``source``, and ``candles`` by timeframe."""
        forming = self._symbols[symbol]
        last = forming.last
        shown: dict[str, Any] = {} if last is None else last._asdict()
        shown["candles"] = {
            timeframe: self._shape(symbol, timeframe, cell) for timeframe, cell in forming.whole()
        }
        return orjson.dumps(shown).decode()

    def _shape(self, symbol: str, timeframe: Timeframe, cell: Cell) -> dict[str, Any] | None:
        calendar = self._calendars.get(symbol)
        if calendar is None and symbol in self._sessions:
            calendar = self._calendars[symbol] = SessionCalendar(self._sessions[symbol])
        span = None if calendar is None else calendar.at(cell.last_at)
        if span is None:
            return None
        open_at, end = window(timeframe, cell.last_at, span)
        return {
            "open_at": open_at,
            "at": end,
            "session_at": span.open_at,
            "open": cell.open,
            "high": cell.high,
            "low": cell.low,
            "close": cell.close,
            "volume": cell.volume,
        }


def _closed(close: Close, ended: Window, cell: Cell) -> CandleClosed:
    fields = {
        "symbol": close.symbol,
        "at": close.at,
        "pos": close.pos,
        "timeframe": ended.timeframe,
        "open_at": ended.open_at,
        "session_at": close.session_at,
        "open": cell.open,
        "high": cell.high,
        "low": cell.low,
        "close": cell.close,
        "volume": cell.volume,
        "ticks": cell.ticks,
        "source": cell.source,
        "origin": cell.origin,
        "cause": close.id,
    }
    return trusted(CandleClosed, fields)


CANDLES = StageSpec(name="candles", primary="tick", output="candle_closed", restore=CandlesStep)
