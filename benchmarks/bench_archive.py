"""Reading a year of 1m candles of 50 symbols: a symbol's week out of it, as pages do."""

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

import polars as pl

from benchmarks.results import Goal, Row, row
from shared.archive.columns import MOMENT, month, topic_schema
from shared.archive.places import Mark, Place, write_place
from shared.archive.reader import Archive
from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.events.base import moment
from shared.events.candle import CandleClosed

KEYS = Keys("bench")
SYMBOLS = [f"SYM{number:02d}" for number in range(50)]
MINUTE = 60_000_000
DAY = 1440 * MINUTE
START = 1_764_547_200_000_000
END = "1796083200001-0"
TOPIC = CandleClosed.TOPIC
COLUMNS = ("open_at", "open", "high", "low", "close", "volume")
GOAL_MS = 50.0


def rows(quick: bool) -> list[Row]:
    """The figures."""
    with tempfile.TemporaryDirectory(prefix="tideline-bench-") as folder:
        archive = Archive.at(Path(folder), KEYS, None)
        days = 60 if quick else 365
        _fill(archive, days)
        week = asyncio.run(_took_ms(archive, days, 7))
        whole = asyncio.run(_took_ms(archive, days, days))
    span = f"a year of 1m candles of {len(SYMBOLS)} symbols, {days} days of it written"
    unit = f"ms for a symbol's week of prices, out of {span}"
    return [
        row("archive_read_ms", week, unit, Goal(GOAL_MS, at_most=True)),
        row("archive_read_year_ms", whole, f"ms for all prices of a symbol, out of {span}"),
    ]


async def _took_ms(archive: Archive, days: int, wanted: int) -> float:
    took = []
    for number in range(15):
        symbol = SYMBOLS[number * 7 % len(SYMBOLS)]
        since = START + number % max(1, days - wanted) * DAY
        began = time.perf_counter()
        until = since + wanted * DAY + 1
        found = await archive.candle_table(symbol, "1m", since + 1, until, COLUMNS)
        took.append(time.perf_counter() - began)
        assert len(found) == wanted * 1440
    return median(took) * 1000


def _fill(archive: Archive, days: int) -> None:
    """A year as the recorder leaves it: a piece a month and partition."""
    for partition in range(KEYS.partitions):
        mine = [one for one in SYMBOLS if partition_of(one, KEYS.partitions) == partition]
        for (name,), part in _candles(mine, days).group_by(month().alias("month")):
            if len(part):
                path = archive.shelf.path(TOPIC, str(name), (partition, "0-0", END))
                archive.shelf.publish(path, TOPIC, part.select(*topic_schema(TOPIC)))
        write_place(archive.shelf, partition, Place({TOPIC: Mark(END, "")}))


def _candles(symbols: list[str], days: int) -> pl.DataFrame:
    """Candles whose prices wander, without any chance."""
    ends = range(START + MINUTE, START + days * DAY + MINUTE, MINUTE)
    times = pl.DataFrame({"at": pl.Series(list(ends), dtype=pl.Int64)}).with_columns(
        pl.col("at").cast(MOMENT), nth=pl.int_range(pl.len())
    )
    wave = 100 + (pl.col("nth") % 977) * 0.01 + (pl.col("nth") % 31) * 0.05
    told = pl.DataFrame({"symbol": symbols}, schema={"symbol": pl.String}).join(times, how="cross")
    made = told.with_columns(
        written_at=pl.col("at").cast(pl.Datetime("ms", "UTC")),
        written_n=pl.lit(0, pl.Int64),
        type=pl.lit(TOPIC),
        v=pl.lit(1, pl.Int64),
        timeframe=pl.lit("1m"),
        open_at=pl.col("at") - pl.duration(minutes=1),
        session_at=pl.lit(moment(START)),
        open=wave.round(2),
        high=(wave + 0.3).round(2),
        low=(wave - 0.3).round(2),
        close=(wave + 0.1).round(2),
        volume=(pl.col("nth") % 89).cast(pl.Float64),
        ticks=pl.lit(12, pl.Int64),
        source=pl.lit("bench"),
        origin=pl.lit("live"),
        pos=pl.col("nth").cast(pl.Int64),
        cause=pl.concat_str(pl.lit("close:"), "symbol", pl.lit(":"), pl.col("at").cast(pl.String)),
    )
    missing = {
        name: pl.lit(None, kind) for name, kind in topic_schema(TOPIC).items() if name not in made
    }
    return made.with_columns(**missing)
