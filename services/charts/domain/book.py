"""The book: all that is recent of the market, built from events that may come more than once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from services.charts.domain.precision import decimals_of
from services.charts.domain.pulses import DataStatus
from services.charts.domain.recent import CandleRun, Recent
from services.charts.domain.relevance import belongs
from services.charts.domain.shapes import (
    ShownAlert,
    ShownCandle,
    ShownLevel,
    ShownSignal,
    ShownSymbol,
    ShownZone,
    alert_of,
    candle_from,
    candle_of,
    level_of,
    signal_of,
    zone_of,
)
from shared.events import AlertFired, CandleClosed, Event, LevelComputed, SignalGenerated
from shared.market.timeframes import TIMEFRAMES, Timeframe

Key = tuple[str, Timeframe]
"""A symbol and a timeframe: what one chart shows."""

DAY: Timeframe = "1d"
_NO_CANDLES = CandleRun(0)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much the book keeps: candles per chart, signals per symbol, alerts in all."""

    candles: int = 5_000
    signals: int = 200
    alerts: int = 500


class Book:
    """What is recent: closed and forming candles, levels in force, signals, alerts.

    ``apply`` and ``form`` say what changed; nothing here knows who looks.
    """

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._runs: dict[Key, CandleRun] = {}
        self._forming: dict[Key, ShownCandle] = {}
        self._levels: dict[Key, LevelComputed] = {}
        self._signals: dict[str, Recent[ShownSignal]] = {}
        self._alerts: Recent[AlertFired] = Recent(capacity.alerts)
        self._sources: dict[str, str] = {}
        self._data: Mapping[str, DataStatus] = {}

    def apply(self, event: Event) -> bool:
        """Take an event in; whether it was news. Events of other types are none."""
        match event:
            case CandleClosed():
                return self._close(event)
            case LevelComputed():
                return self._compute(event)
            case SignalGenerated():
                signals = self._signals.setdefault(event.symbol, Recent(self._capacity.signals))
                return signals.put(event.at, event.id, signal_of(event))
            case AlertFired():
                return self._alerts.put(event.fired_at, event.id, event)
            case _:
                return False

    def form(self, symbol: str, candles: Mapping[Timeframe, ShownCandle]) -> list[Key]:
        """Take the forming candles of a symbol in; the charts that this changed.

        A closed candle stands above a forming one of the same window, however late that is shown.
        A view can be ahead of the close that stands before it in the log: then it is looked at
        again once that close has come, so that no chart has a hole.
        """
        changed: list[Key] = []
        for timeframe, candle in candles.items():
            key = (symbol, timeframe)
            known, closed = self._forming.get(key), self._run(key).newest
            closed_at = -1 if closed is None else closed.open_at
            outdated = candle.open_at <= closed_at
            ahead = known is not None and closed_at < known.open_at < candle.open_at
            if not (outdated or ahead or candle == known):
                self._forming[key] = candle
                changed.append(key)
        return changed

    def refresh(self, statuses: Mapping[str, DataStatus]) -> None:
        """Take in how fresh the data of every watched symbol are."""
        self._data = statuses

    def knows(self, symbol: str) -> bool:
        """Whether the symbol has candles."""
        return any((symbol, timeframe) in self._runs for timeframe in TIMEFRAMES)

    def symbols(self) -> list[str]:
        """Every symbol that has candles, sorted."""
        return sorted({symbol for symbol, _ in self._runs})

    def summary(self, symbol: str) -> ShownSymbol:
        """What a list of symbols shows of one that the book knows."""
        keys = [(symbol, tf) for tf in TIMEFRAMES if (symbol, tf) in self._runs]
        newest = [candle for key in keys if (candle := self.newest(key)) is not None]
        last = max(newest, key=lambda candle: candle.at if candle.closed else candle.open_at)
        finest = self._runs[keys[0]].before(None, 200)
        return ShownSymbol(
            symbol=symbol,
            timeframes=tuple(timeframe for _, timeframe in keys),
            source=self.source(symbol),
            decimals=decimals_of(finest),
            price=last.close,
            at=last.at if last.closed else last.open_at,
            previous_close=self._previous_close(symbol, last),
            data=self._data.get(symbol, ""),
        )

    def source(self, symbol: str) -> str:
        """Who gave the symbol's last closed candle; empty before there was one."""
        return self._sources.get(symbol, "")

    def candles(self, key: Key, before: int | None, limit: int) -> list[ShownCandle]:
        """Closed candles that opened before a time, or the newest, in order."""
        return self._run(key).before(before, limit)

    def count(self, key: Key) -> int:
        """How many closed candles are kept."""
        return len(self._run(key).candles)

    def newest(self, key: Key) -> ShownCandle | None:
        """The forming candle, or the last closed one where none is forming after it."""
        closed, forming = self._run(key).newest, self._forming.get(key)
        if forming is None or (closed is not None and forming.open_at <= closed.open_at):
            return closed
        return forming

    def levels(self, key: Key) -> list[ShownLevel]:
        """Levels in force on a chart, by falling price: its own and those of every chart."""
        symbol, shown_on = key
        readings = [self._levels.get((symbol, timeframe)) for timeframe in TIMEFRAMES]
        found = [
            level_of(level, computed.timeframe)
            for computed in readings
            if computed is not None
            for level in computed.levels
            if belongs(computed.timeframe, level.key, shown_on)
        ]
        return sorted(found, key=lambda level: (-level.price, level.key))

    def zones(self, key: Key) -> list[ShownZone]:
        """Zones in force that were found on the chart's own timeframe."""
        computed = self._levels.get(key)
        return [] if computed is None else [zone_of(z, computed.timeframe) for z in computed.zones]

    def signals(self, symbol: str, timeframe: Timeframe | None, limit: int) -> list[ShownSignal]:
        """Newest first. With a timeframe only those at levels that such a chart shows."""
        kept = self._signals.get(symbol)
        shown = (
            signal
            for signal in (kept.newest_first() if kept is not None else ())
            if timeframe is None or belongs(signal.timeframe, signal.level, timeframe)
        )
        return list(islice(shown, limit))

    def alerts(self, symbol: str | None, limit: int) -> list[ShownAlert]:
        """Newest first, of one symbol or of all."""
        kept = self._alerts.newest_first()
        wanted = (alert for alert in kept if symbol is None or alert.symbol == symbol)
        return [self.shown(alert) for alert in islice(wanted, limit)]

    def shown(self, alert: AlertFired) -> ShownAlert:
        """An alert with its signal, which may have come after it."""
        signals = self._signals.get(alert.symbol)
        return alert_of(alert, None if signals is None else signals.get(alert.signal))

    def _run(self, key: Key) -> CandleRun:
        return self._runs.get(key, _NO_CANDLES)

    def _previous_close(self, symbol: str, last: ShownCandle) -> float | None:
        """The close of the last day that was over before the day that a candle is part of."""
        over = [day for day in self._run((symbol, DAY)).before(None, 2) if day.at < last.at]
        return over[-1].close if over else None

    def _close(self, event: CandleClosed) -> bool:
        key = (event.symbol, event.timeframe)
        self._sources[event.symbol] = event.source
        return self._keep(key, candle_of(event))

    def _keep(self, key: Key, candle: ShownCandle) -> bool:
        run = self._runs.setdefault(key, CandleRun(self._capacity.candles))
        return run.put(candle)

    def _compute(self, event: LevelComputed) -> bool:
        key = (event.symbol, event.timeframe)
        known = self._levels.get(key)
        self._keep(key, candle_from(event.candle, closed=True))
        if known is not None and (known.at > event.at or known == event):
            return False
        self._levels[key] = event
        return True
