"""Recordings as a feed: in order, in step over all partitions, and on from any cursor."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.adapters.feeds.file.feed import FileFeed
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import (
    START,
    Cursor,
    FeedCandle,
    FeedTime,
)
from shared.clock import SystemClock
from shared.events.base import stamp
from tests.ingest.feeds.recordings import TABLE, feed, played, prices, written


async def test_time_ends_beyond_the_last_session(tmp_path: Path) -> None:
    """Every partition hears of the same times, rising, the last of them a day later."""
    path = written(tmp_path, "time,symbol,price\n2026-06-10T14:00:00Z,EURUSD,1.1\n")
    told = [b async for b in feed(path).stream([], {})]
    times = [item.at for batch in told for item in batch if isinstance(item, FeedTime)]
    assert [stamp(at) for at in times] == ["2026-06-10T14:00Z", "2026-06-11T15:00Z"]


@settings(deadline=None)
@given(taken=st.integers(0, 12))
async def test_restart_neither_loses_nor_repeats_a_row(
    tmp_path_factory: pytest.TempPathFactory, taken: int
) -> None:
    """Whatever was handed over before, equal times and bad rows included, the rest follows."""
    rows = [f"2026-06-10T14:00:{i // 3:02d}Z,EURUSD,{'' if i == 5 else 1.1}" for i in range(12)]
    path = written(tmp_path_factory.mktemp("file"), "\n".join(["time,symbol,price", *rows, ""]))
    whole = [item for item in await played(feed(path)) if not isinstance(item, FeedTime)]
    cursor = START
    for item in whole[:taken]:
        cursor = cursor.after(item.at)
    rest = await played(feed(path), {"EURUSD": cursor})
    assert [item for item in rest if not isinstance(item, FeedTime)] == whole[taken:]


CANDLES = """time,symbol,tf,open,high,low,close
2026-06-10T14:00:00Z,EURUSD,1m,1,2,1,2
2026-06-10T14:00:00Z,EURUSD,5m,1,2,1,2
2026-06-10T14:01:00Z,EURUSD,1m,1,,1,2
2026-06-10T14:01:00Z,DAX,1m,1,2,1,2
2026-06-10T14:02:00Z,EURUSD,1m,1,2,1,2
2026-06-10T14:02:00Z,EURUSD,7m,1,2,1,2
"""


async def test_candles_are_played_by_their_end(tmp_path: Path) -> None:
    """The five minutes from 14:00 come after the minute from 14:02, which ends before them."""
    items = await played(feed(written(tmp_path, CANDLES)))
    found = [(i.symbol, i.timeframe) for i in items if isinstance(i, FeedCandle)]
    assert found == [("EURUSD", "1m"), ("DAX", "1m"), ("EURUSD", "1m"), ("EURUSD", "5m")]


@pytest.mark.parametrize("taken", range(7))
async def test_candles_go_on_where_they_stopped(tmp_path: Path, taken: int) -> None:
    """Cursors of candles count by the candle's end, as the writer of the spine does."""
    path = written(tmp_path, CANDLES)
    whole = [item for item in await played(feed(path)) if not isinstance(item, FeedTime)]
    cursors: dict[str, Cursor] = {}
    for item in whole[:taken]:
        cursors[item.symbol] = cursors.get(item.symbol, START).after(item.at)
    rest = await played(feed(path), cursors)
    assert [item for item in rest if not isinstance(item, FeedTime)] == whole[taken:]


async def test_every_partition_hears_the_end_of_every_minute_with_rows(tmp_path: Path) -> None:
    """Times come from the whole file: who has no rows in it is told the same ones."""
    path = written(
        tmp_path,
        "time,symbol,price\n2026-06-10T14:00:05Z,EURUSD,1.1\n2026-06-10T14:00:50Z,DAX,24000\n"
        "2026-06-10T14:07:00Z,DAX,24000\n",
    )
    for symbols in (["EURUSD"], ["DAX", "*"], []):
        told = [b async for b in feed(path).stream(symbols, {})]
        times = [stamp(i.at) for batch in told for i in batch if isinstance(i, FeedTime)]
        assert times[:-1] == ["2026-06-10T14:01Z", "2026-06-10T14:07Z"]


async def test_a_recording_is_known_by_its_content(tmp_path: Path) -> None:
    """The same file again is the same feed; another of that name is not."""
    text = "time,symbol,price\n2026-06-10T14:00:00Z,EURUSD,1.1\n"
    one = await feed(written(tmp_path, text)).identity()
    again = await feed(written(tmp_path, text)).identity()
    other = await feed(written(tmp_path, text.replace("1.1", "1.2"))).identity()
    assert one == again != other


async def test_a_recordings_own_names_are_understood(tmp_path: Path) -> None:
    """An instrument's name under `file` is what recordings call it."""
    nifty = TABLE.get("NIFTY 50").model_copy(update={"names": {"file": "NIFTY50"}})
    path = written(tmp_path, "time,symbol,price\n2026-06-10T05:00:00Z,NIFTY50,25000\n")
    source = FileFeed(path, InstrumentTable([nifty]), SystemClock())
    assert await source.symbols() == ["NIFTY 50"]
    (tick,) = prices(await played(source))
    assert tick.symbol == "NIFTY 50"
