"""A provider's recorded ticks against that provider's own minute candles."""

from pathlib import Path

import polars as pl
import pytest

from services.ingest.adapters.feeds.file.feed import FileFeed
from services.ingest.domain.candles import CandlesStep
from services.ingest.domain.items import FeedTick, FeedTime, Item
from services.ingest.domain.spine import SpineWriter
from shared.clock import SystemClock
from shared.events import CandleClosed, DeadLetter, Event
from shared.events.base import MICROS_PER_MINUTE
from tests.ingest.lines import TABLE

DAYS = {"2014-05-02": "20140502", "2014-05-05": "20140505"}
Prices = tuple[float, float, float, float]


@pytest.fixture(params=sorted(DAYS))
def day(request: pytest.FixtureRequest) -> str:
    """One of the two days of which ticks and minutes were recorded."""
    return str(request.param)


def recorded_ticks(folder: Path, day: str) -> Path:
    return folder / "recorded" / f"ticks_eurusd_oanda_{DAYS[day]}.csv.gz"


def recorded_minutes(folder: Path, day: str) -> dict[int, Prices]:
    """The provider's own candles of a day by their opening, as they stand in the file."""
    rows = pl.read_csv(folder / "recorded" / "demo_fx_gold_1m_20140501_15.csv.gz").filter(
        pl.col("symbol") == "EURUSD", pl.col("ts_utc").str.starts_with(day)
    )
    times = rows["ts_utc"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us").dt.epoch("us")
    prices = rows.select("open", "high", "low", "close").rows()
    return dict(zip(times.to_list(), prices, strict=True))


def minutes(spine: list[Event]) -> dict[int, Prices]:
    """The 1m candles that follow from a spine, by their opening."""
    assert not [event for event in spine if isinstance(event, DeadLetter)]
    return {
        event.open_at: (event.open, event.high, event.low, event.close)
        for event in CandlesStep({}).process(spine)
        if isinstance(event, CandleClosed) and event.timeframe == "1m"
    }


def one_side(folder: Path, day: str, side: str) -> dict[int, Prices]:
    """Our 1m candles of the bids or of the asks alone."""
    rows = pl.read_csv(recorded_ticks(folder, day))
    times = rows["ts_utc"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").dt.epoch("us")
    items: list[Item] = [
        FeedTick("EURUSD", at, price, 0.0, "oanda")
        for at, price in zip(times.to_list(), rows[side].to_list(), strict=True)
    ]
    items.append(FeedTime(items[-1].at + 2 * MICROS_PER_MINUTE))
    return minutes(SpineWriter(TABLE, {}).process(items))


def same(one: float, other: float) -> bool:
    """Equal but for the last bits of a binary fraction; prices are whole hundred-thousandths."""
    return abs(one - other) < 1e-9


def test_candles_of_bids_and_asks_make_the_providers_own(shared_data: Path, day: str) -> None:
    """Every minute of the day, all four prices: the provider's candle is the mean of bid and ask.

    A single price in the wrong minute, or a wrong open or close, would show.
    """
    theirs = recorded_minutes(shared_data, day)
    bids, asks = (one_side(shared_data, day, side) for side in ("bid", "ask"))
    ours = {
        at: tuple((bid + ask) / 2 for bid, ask in zip(bids[at], asks[at], strict=True))
        for at in bids
    }
    assert len(ours) > 1_200
    assert ours.keys() == theirs.keys()
    wrong = {at: (ours[at], theirs[at]) for at in ours if not all(map(same, ours[at], theirs[at]))}
    assert wrong == {}


async def test_candles_of_the_played_file_differ_only_where_they_should(
    shared_data: Path, day: str
) -> None:
    """The feed makes one middle price of each bid and ask, and candles of those.

    Open and close are then the provider's in every minute. High and low can lie inside the
    provider's, which average the highest bid with the highest ask though these came at different
    moments: nobody could have traded at that middle.
    """
    feed = FileFeed(recorded_ticks(shared_data, day), TABLE, SystemClock())
    writer = SpineWriter(TABLE, {})
    spine = [
        event async for items in feed.stream(["EURUSD", "*"], {}) for event in writer.process(items)
    ]
    ours, theirs = minutes(spine), recorded_minutes(shared_data, day)
    assert ours.keys() == theirs.keys()
    for at, (open_, high, low, close) in ours.items():
        assert same(open_, theirs[at][0])
        assert same(close, theirs[at][3])
        assert theirs[at][2] - 1e-9 <= low <= high <= theirs[at][1] + 1e-9
