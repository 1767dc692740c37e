"""Reading a recording into rows: every cell parsed once, every bad row named by its number."""

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from services.ingest.adapters.feeds.base import FeedError
from services.ingest.adapters.feeds.file.columns import CANDLE_PRICES, find_columns
from shared.market.timeframes import LENGTH_US, TIMEFRAMES

# The first data row of a CSV file is its second line.
_FIRST_ROW = 2
_TIMES = ("%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M%:z", "%Y-%m-%d %H:%M")
# Numbers are seconds, milliseconds or microseconds since 1970 by their size: any time from 1973 on
# has exactly one reading.
_SECONDS_BELOW, _MILLIS_BELOW = 1e11, 1e14


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a file does not say in columns of its own."""

    symbol: str | None = None
    timeframe: str | None = None


def read(path: Path, defaults: Defaults) -> pl.DataFrame:
    """The file's rows in their order.

    Columns: ``row`` (line number), ``symbol``, ``at`` (µs; a candle's open), ``fault`` (why the
    row is bad, or null), ``raw`` (a bad row's text) and ``price, size`` of ticks or ``timeframe,
    open, high, low, close, volume`` of candles. Prices are not judged here.

    Raises:
        FeedError: the file cannot be read, is empty, or has the wrong columns.
    """
    table = _load(path)
    columns = find_columns(str(path), table.columns)
    if table.is_empty():
        raise FeedError(f"{path}: no rows")
    # Only what is needed, so that no other column can have the name of one of ours.
    table = table.select(
        pl.concat_str(pl.all().fill_null(""), separator=",").alias("raw"),
        *(pl.col(theirs).alias(ours) for ours, theirs in columns.items()),
    )
    table = _fill(path, table, {"symbol": defaults.symbol} | _timeframe_default(columns, defaults))
    table = table.with_row_index("row", offset=_FIRST_ROW)
    parsed = _candles(table) if "open" in columns else _ticks(table)
    timed = parsed.with_columns(_time(pl.col("time")).alias("at"))
    judged = timed.with_columns(_fault(timed))
    # Good rows' texts are no longer needed, and would be half of the memory.
    return judged.with_columns(pl.when(pl.col("fault").is_not_null()).then("raw").alias("raw"))


def _load(path: Path) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            table = pl.read_parquet(path)
            return table.with_columns(_text(table, name) for name in table.columns)
        return pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise FeedError(f"{path}: no such file") from None
    except pl.exceptions.NoDataError:
        raise FeedError(f"{path}: the file is empty") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FeedError(
            _too_wide(path) or f"{path}: cannot be read ({_first_line(error)})"
        ) from None


def _too_wide(path: Path) -> str | None:
    """The complaint about the first row with more cells than there are columns, if there is one."""
    if path.suffix == ".parquet":
        return None
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            for row in rows:
                if len(row) > len(header):
                    count = f"{len(row)} cells under {len(header)} columns"
                    return f"{path}, row {rows.line_num}: {count}; remove what is too much"
    except (OSError, EOFError, UnicodeDecodeError, csv.Error):
        pass
    return None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _text(table: pl.DataFrame, name: str) -> pl.Expr:
    """A Parquet column as text, times as microseconds."""
    column = pl.col(name)
    if isinstance(table.schema[name], pl.Datetime):
        return column.dt.epoch("us").cast(pl.String)
    return column.cast(pl.String)


def _timeframe_default(columns: Mapping[str, str], defaults: Defaults) -> dict[str, str | None]:
    return {"timeframe": defaults.timeframe} if "open" in columns else {}


def _fill(path: Path, table: pl.DataFrame, given: Mapping[str, str | None]) -> pl.DataFrame:
    for name, value in given.items():
        if name not in table.columns:
            if value is None:
                raise FeedError(
                    f"{path}: no {name} column; set TIDELINE_INGEST__FILE_{name.upper()}"
                )
            table = table.with_columns(pl.lit(value).alias(name))
    return table


def _ticks(table: pl.DataFrame) -> pl.DataFrame:
    price = _number("price") if "price" in table.columns else (_number("bid") + _number("ask")) / 2
    named = "size" if "size" in table.columns else "volume"
    size = _number(named).fill_null(0.0) if named in table.columns else pl.lit(0.0)
    return table.with_columns(price.alias("price"), size.alias("size"))


def _candles(table: pl.DataFrame) -> pl.DataFrame:
    named = "volume" if "volume" in table.columns else "size"
    volume = _number(named).fill_null(0.0) if named in table.columns else pl.lit(0.0)
    return table.with_columns(
        *(_number(name).alias(name) for name in CANDLE_PRICES), volume.alias("volume")
    )


def _number(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)


def _time(column: pl.Expr) -> pl.Expr:
    """Microseconds since 1970 of ISO 8601 text (UTC unless it says otherwise) or of a number."""
    text = column.str.strip_chars().str.replace("T", " ", literal=True)
    text = text.str.replace("Z$", "+00:00")
    text = pl.when(text.str.len_chars() == len("2026-11-21")).then(text + " 00:00").otherwise(text)
    written = pl.coalesce(
        text.str.to_datetime(shape, time_unit="us", time_zone="UTC", strict=False)
        for shape in _TIMES
    ).dt.epoch("us")
    number = column.cast(pl.Float64, strict=False)
    whole = column.cast(pl.Int64, strict=False)
    counted = (
        pl.when(number < _SECONDS_BELOW)
        .then((number * 1e6).round().cast(pl.Int64))
        .when(number < _MILLIS_BELOW)
        .then((number * 1e3).round().cast(pl.Int64))
        .otherwise(whole)
    )
    return pl.coalesce(counted, written)


def _unfair(name: str) -> pl.Expr:
    price = pl.col(name)
    return (price <= 0) | price.is_nan() | price.is_infinite()


def _fault(parsed: pl.DataFrame) -> pl.Expr:
    """Why a row is bad, the first reason only; null if it is not."""
    prices = CANDLE_PRICES if "open" in parsed.columns else ("price",)
    series = ["symbol", "timeframe"] if "open" in parsed.columns else ["symbol"]
    faults = [
        (pl.col("symbol").is_null(), pl.lit("no symbol")),
        (pl.col("at").is_null(), pl.format("unreadable time {}", pl.col("time").fill_null("''"))),
        *((pl.col(name).is_null(), pl.lit(f"no {name}")) for name in prices),
        *(
            (_unfair(name), pl.format(f"{name} {{}} is not a positive number", name))
            for name in prices
        ),
    ]
    if "open" in parsed.columns:
        unknown = ~pl.col("timeframe").is_in(list(LENGTH_US))
        names = ", ".join(TIMEFRAMES)
        faults.append((unknown, pl.format(f"timeframe {{}} is none of {names}", "timeframe")))
        repeated = pl.col("raw").is_first_distinct().over(series).not_()
        faults.append((repeated, pl.lit("the same row stands before it")))
    if {"bid", "ask"} <= set(parsed.columns):
        text = pl.format("crossed: bid {} above ask {}", "bid", "ask")
        faults.append((_number("bid") > _number("ask"), text))
    disorder = pl.col("at") < pl.col("at").cum_max().over(series)
    faults.append((disorder, pl.lit("out of order: an earlier row is later in time")))
    told = pl.lit(None, dtype=pl.String)
    for condition, reason in reversed(faults):
        told = pl.when(condition).then(reason).otherwise(told)
    return told.alias("fault")
