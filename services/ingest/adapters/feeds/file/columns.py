"""Which column of a file is which, under the names that recordings commonly use."""

from collections.abc import Iterable

from services.ingest.adapters.feeds.base import FeedError

SYNONYMS: dict[str, tuple[str, ...]] = {
    "time": ("ts_utc", "time", "timestamp", "ts", "datetime", "date_time", "date"),
    "symbol": ("symbol", "ticker", "instrument"),
    "timeframe": ("tf", "timeframe", "interval"),
    "price": ("price", "last", "mid"),
    "bid": ("bid",),
    "ask": ("ask", "offer"),
    "size": ("size", "qty", "quantity", "volume"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
}
CANDLE_PRICES = ("open", "high", "low", "close")
EXPECTED = (
    "ticks need time, symbol and price (or bid and ask), candles time, symbol, timeframe, open, "
    "high, low and close; see docs/feeds.md"
)


def find_columns(file: str, header: Iterable[str]) -> dict[str, str]:
    """Our name of each column that is needed, with the file's own.

    Raises:
        FeedError: the columns are neither ticks nor candles, or two have the same meaning.
    """
    theirs = {name.strip().lower(): name for name in header}
    found: dict[str, str] = {}
    for ours, names in SYNONYMS.items():
        present = [theirs[name] for name in names if name in theirs]
        if len(present) > 1:
            both = " and ".join(present)
            raise FeedError(f"{file}: columns {both} both mean {ours}; keep one of them")
        if present:
            found[ours] = present[0]
    if "time" not in found:
        raise FeedError(f"{file}: no time column among {', '.join(theirs.values())}; {EXPECTED}")
    if "price" not in found and not {"bid", "ask"} <= found.keys():
        missing = [name for name in CANDLE_PRICES if name not in found]
        if missing:
            raise FeedError(f"{file}: no column {', '.join(missing)}; {EXPECTED}")
    return found
