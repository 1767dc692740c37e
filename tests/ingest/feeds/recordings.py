"""Recordings for tests: written into a folder, played, and looked at."""

from collections.abc import Sequence
from pathlib import Path

from services.ingest.adapters.feeds.file.feed import FileFeed
from services.ingest.adapters.feeds.file.reading import Defaults
from services.ingest.domain.instruments import InstrumentTable, built_in
from services.ingest.domain.items import (
    Cursor,
    FeedCandle,
    FeedRejected,
    FeedTick,
    Item,
)
from shared.clock import SystemClock
from shared.market.instruments import Instrument, Session

SPY = Instrument(
    symbol="SPY",
    title="S&P 500 ETF",
    kind="equity",
    session=Session(zone="America/New_York", start="09:30", end="16:00", days=(1, 2, 3, 4, 5)),
    tick_size=0.01,
    decimals=2,
)
TABLE = InstrumentTable([*built_in(), SPY])


def feed(path: Path, **defaults: str) -> FileFeed:
    """A feed that plays as fast as it is read."""
    return FileFeed(path, TABLE, SystemClock(), defaults=Defaults(**defaults))


def written(folder: Path, text: str, name: str = "file.csv") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, "utf-8")
    return path


async def played(source: FileFeed, cursors: dict[str, Cursor] | None = None) -> list[Item]:
    """Everything a feed says of all its symbols."""
    symbols = [*await source.symbols(), "*"]
    return [
        item for batch in [b async for b in source.stream(symbols, cursors or {})] for item in batch
    ]


def prices(items: Sequence[Item]) -> list[FeedTick | FeedCandle]:
    """Only ticks and candles."""
    return [item for item in items if isinstance(item, FeedTick | FeedCandle)]


def rejected(items: Sequence[Item]) -> list[str]:
    """Only the reasons of rejections."""
    return [item.reason for item in items if isinstance(item, FeedRejected)]
