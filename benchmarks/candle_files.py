"""Reads candles out of whatever CSV files lie in a folder.

A candle file has a header with a time, open, high, low and close in any case, separated by commas
or tabs, and perhaps volume, symbol and tf; ``.gz`` is fine. Times without a zone are taken as UTC
and as the candle's open. Rows that are no candle (no price, impossible shape, not after the row
before) are left out. Files without these columns are none of ours.
"""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from pydantic import ValidationError

from shared.events import CandleClosed
from shared.events.base import micros
from shared.market.timeframes import LENGTH_US, TIMEFRAMES, Timeframe

_TIMES = ("ts_utc", "datetime", "date", "time")
_PRICES = ("open", "high", "low", "close")
_FORMATS = ("%Y.%m.%d %H:%M:%S", "%m/%d/%Y", "%m/%d/%y")
_DAY = LENGTH_US["1d"]

Row = dict[str, str]


def read_all(folder: Path) -> Iterator[tuple[str, list[CandleClosed]]]:
    """Every series of every candle file, by a readable name; a series has two candles at least."""
    for path in sorted((*folder.rglob("*.csv"), *folder.rglob("*.csv.gz"))):
        for (symbol, timeframe), rows in _series(path).items():
            known = [one for one in TIMEFRAMES if one == timeframe]
            candles = _candles(symbol, known[0] if known else _guess(rows), rows)
            if len(candles) > 1:
                name = f"{path.relative_to(folder)} {symbol} {candles[0].timeframe}"
                yield name, candles


def _series(path: Path) -> dict[tuple[str, str], list[Row]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig") as file:
        header = file.readline()
        reader = csv.DictReader(file, _columns(header), delimiter=_separator(header))
        if not {*_PRICES} <= {*(reader.fieldnames or ())}:
            return {}
        series: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in reader:
            series[row.get("symbol", path.name.split(".")[0]), row.get("tf", "")].append(row)
    return series


def _separator(header: str) -> str:
    return "\t" if "\t" in header else ","


def _columns(header: str) -> list[str]:
    return [name.strip().lower() for name in header.split(_separator(header))]


def _time(row: Row) -> int:
    """Raises ValueError if no format fits."""
    text = next((row[name] for name in _TIMES if row.get(name)), "")
    for form in _FORMATS:
        try:
            return micros(datetime.strptime(text, form).replace(tzinfo=UTC))
        except ValueError:
            continue
    found = datetime.fromisoformat(text)
    return micros(found if found.tzinfo is not None else found.replace(tzinfo=UTC))


def _guess(rows: list[Row]) -> Timeframe:
    """The longest timeframe that is no longer than the usual distance of two rows."""
    times = []
    for row in rows[:500]:
        try:
            times.append(_time(row))
        except ValueError:
            continue
    steps = Counter(later - earlier for earlier, later in pairwise(times) if later > earlier)
    usual = steps.most_common(1)[0][0] if steps else _DAY
    fitting = [timeframe for timeframe, length in LENGTH_US.items() if length <= usual]
    return fitting[-1] if fitting else "1m"


def _candles(symbol: str, timeframe: Timeframe, rows: list[Row]) -> list[CandleClosed]:
    candles: list[CandleClosed] = []
    for row in rows:
        try:
            open_at = _time(row)
            candle = CandleClosed(
                symbol=symbol.replace(" ", "_"),
                at=open_at + LENGTH_US[timeframe],
                pos=len(candles) + 1,
                timeframe=timeframe,
                open_at=open_at,
                session_at=open_at - open_at % _DAY,
                **{part: float(row[part]) for part in _PRICES},
                volume=float(row.get("volume") or 0),
                ticks=1,
                source="file",
                origin="live",
                cause="file",
            )
        except (ValueError, ValidationError, KeyError, TypeError):
            continue
        if not candles or candle.open_at >= candles[-1].at:
            candles.append(candle)
    return candles
