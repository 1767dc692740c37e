"""Candles for the tests: written by hand, or read from recorded files."""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.events import CandleClosed
from shared.events.base import MICROS_PER_MINUTE, micros
from shared.market.timeframes import LENGTH_US, Timeframe

DAY = 1440 * MICROS_PER_MINUTE
FIRST = micros(datetime(2026, 11, 16, tzinfo=UTC))


def closed(
    n: int, open_: float, high: float, low: float, close: float, **more: Any
) -> CandleClosed:
    """The ``n``-th candle of a timeframe (1m unless said) after a Monday's midnight UTC."""
    length = LENGTH_US[more.get("timeframe", "1m")]
    open_at = FIRST + n * length
    fields = {
        "symbol": "EURUSD",
        "pos": n + 1,
        "timeframe": "1m",
        "open_at": open_at,
        "at": open_at + length,
        "session_at": open_at - open_at % DAY,
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": 0.0,
        "ticks": 1,
        "source": "test",
        "origin": "live",
        "cause": "tick:EURUSD:test:2026-11-16T00:00Z:0",
    }
    return CandleClosed(**{**fields, **more})


def ranges(*high_low: tuple[float, float]) -> list[CandleClosed]:
    """1m candles with these highs and lows, closing in the middle."""
    return [
        closed(n, (high + low) / 2, high, low, (high + low) / 2)
        for n, (high, low) in enumerate(high_low)
    ]


def at(text: str) -> int:
    """Microseconds of a UTC time such as 2014-05-06T21:00."""
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def daily(path: Path) -> Iterator[CandleClosed]:
    """Days of one of the daily files, in time order, without those of impossible shape."""
    with gzip.open(path, "rt") as file:
        rows = csv.reader(file, delimiter="\t" if "_D1" in path.name else ",")
        next(rows)
        for n, (day, *rest) in enumerate(rows):
            open_, high, low, close = (float(part) for part in rest[:4])
            if not low <= min(open_, close) <= max(open_, close) <= high:
                continue
            open_at = at(day)
            yield closed(
                n,
                open_,
                high,
                low,
                close,
                timeframe="1d",
                open_at=open_at,
                at=open_at + DAY,
                session_at=open_at,
            )


def recorded(path: Path, symbol: str, timeframe: Timeframe = "1m") -> Iterator[CandleClosed]:
    """One symbol's candles of a recorded file; sessions open at 21:00 UTC (17:00 New York, summer).

    ``volume`` and times are the file's.
    """
    opens = 21 * 60 * MICROS_PER_MINUTE
    with gzip.open(path, "rt") as file:
        rows = [r for r in csv.DictReader(file) if (r["symbol"], r["tf"]) == (symbol, timeframe)]
    for n, row in enumerate(rows):
        open_at = at(row["ts_utc"].removesuffix("Z"))
        yield closed(
            n,
            *(float(row[part]) for part in ("open", "high", "low", "close")),
            symbol=symbol,
            timeframe=timeframe,
            open_at=open_at,
            at=open_at + LENGTH_US[timeframe],
            session_at=open_at - (open_at - opens) % DAY,
            volume=float(row["volume"] or 0),
        )


def spy(folder: Path) -> list[CandleClosed]:
    """The days of SPY that the published results in golden/skender are for."""
    with (folder / "golden/skender/quotes/default.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [
        closed(
            n,
            *(float(row[part]) for part in ("open", "high", "low", "close")),
            symbol="SPY",
            timeframe="1d",
            open_at=at(row["date"]),
            at=at(row["date"]) + DAY,
            session_at=at(row["date"]),
            volume=float(row["volume"]),
        )
        for n, row in enumerate(rows)
    ]


def every_series(folder: Path) -> dict[str, list[CandleClosed]]:
    """Every series of candles of the data, by a name."""
    series = {path.name.split("_")[0]: list(daily(path)) for path in _daily_files(folder)}
    for path in sorted((folder / "recorded").glob("[!t]*.csv.gz")):
        for symbol, timeframe in _series_of(path):
            name = f"{path.name.split('.')[0]}:{symbol}:{timeframe}"
            series[name] = list(recorded(path, symbol, timeframe))
    series["skender"] = spy(folder)
    return series


def _daily_files(folder: Path) -> list[Path]:
    return [*sorted((folder / "daily/snowguru").iterdir()), folder / "daily/vix-daily.csv.gz"]


def _series_of(path: Path) -> list[tuple[str, Timeframe]]:
    with gzip.open(path, "rt") as file:
        pairs = {(row["symbol"], row["tf"]) for row in csv.DictReader(file)}
    return sorted((symbol, tf) for symbol, tf in pairs if tf in LENGTH_US)
