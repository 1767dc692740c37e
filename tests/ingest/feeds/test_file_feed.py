"""Recordings: every format is read, every bad row is named, a broken file is refused in a line."""

import gzip
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from services.ingest.adapters.feeds.base import FeedError
from services.ingest.domain.items import (
    FeedCandle,
    FeedTick,
)
from shared.events.base import stamp
from tests.ingest.feeds.recordings import feed, played, prices, rejected, written


async def test_ticks_of_bid_and_ask_become_their_middle(tmp_path: Path) -> None:
    """1.10 and 1.12 make 1.11, at the row's own time."""
    path = written(tmp_path, "ts_utc,symbol,bid,ask\n2014-05-02T00:00:00.277Z,EURUSD,1.10,1.12\n")
    (tick,) = prices(await played(feed(path)))
    assert isinstance(tick, FeedTick)
    assert tick.price == pytest.approx(1.11, abs=1e-12)
    assert stamp(tick.at) == "2014-05-02T00:00:00.277000Z"


@pytest.mark.parametrize(
    "time",
    [
        "2026-06-10T14:00:00Z",
        "2026-06-10 14:00:00",
        "2026-06-10T10:00:00-04:00",
        "2026-06-10T14:00Z",
        "1781100000",
        "1781100000000",
        "1781100000000000",
    ],
)
async def test_every_documented_way_to_write_a_time_is_the_same_time(
    tmp_path: Path, time: str
) -> None:
    """ISO 8601 with or without zone, and seconds, milliseconds, microseconds since 1970."""
    path = written(tmp_path, f"time,symbol,price,size\n{time},EURUSD,1.1,3\n")
    (tick,) = prices(await played(feed(path)))
    assert (stamp(tick.at), tick.size) == ("2026-06-10T14:00Z", 3.0)  # type: ignore[union-attr]


async def test_candles_are_stamped_at_their_opening_and_end_with_their_session(
    tmp_path: Path,
) -> None:
    """The hour from 19:30 UTC of New York's session is half an hour long in summer."""
    path = written(
        tmp_path,
        "ts_utc,symbol,tf,open,high,low,close,volume\n"
        "2026-06-10T18:30:00Z,NDX,1h,1,2,1,2,5\n2026-06-10T19:30:00Z,NDX,1h,2,3,2,3,\n",
    )
    first, last = prices(await played(feed(path)))
    assert isinstance(first, FeedCandle)
    assert isinstance(last, FeedCandle)
    assert (stamp(first.open_at), stamp(first.at)) == ("2026-06-10T18:30Z", "2026-06-10T19:30Z")
    assert (stamp(last.open_at), stamp(last.at)) == ("2026-06-10T19:30Z", "2026-06-10T20:00Z")
    assert (first.volume, last.volume) == (5.0, 0.0)


async def test_compressed_and_parquet_files_say_the_same_as_plain_ones(tmp_path: Path) -> None:
    """One recording, three shapes."""
    text = "time,symbol,price\n2026-06-10T14:00:00Z,EURUSD,1.1\n2026-06-10T14:00:01Z,DAX,24000\n"
    plain = written(tmp_path, text)
    packed = tmp_path / "file.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    parquet = tmp_path / "file.parquet"
    pl.read_csv(plain, try_parse_dates=True).write_parquet(parquet)
    one, two, three = [await played(feed(path)) for path in (plain, packed, parquet)]
    assert one == two == three
    assert len(prices(one)) == 2


async def test_bad_rows_are_handed_over_with_their_number_and_reason(tmp_path: Path) -> None:
    """Lines 3 to 7 are each wrong in another way; lines 2 and 8 are played."""
    path = written(
        tmp_path,
        "time,symbol,bid,ask\n"
        "2026-06-10T14:00:01Z,EURUSD,1.10,1.11\n"
        "yesterday,EURUSD,1.10,1.11\n"
        "2026-06-10T14:00:02Z,EURUSD,,1.11\n"
        "2026-06-10T14:00:02Z,EURUSD,1.12,1.11\n"
        "2026-06-10T14:00:00Z,EURUSD,1.10,1.11\n"
        "2026-06-10T14:00:02Z,,1.10,1.11\n"
        "2026-06-10T14:00:03Z,EURUSD,1.10,1.11\n",
    )
    items = await played(feed(path))
    assert len(prices(items)) == 2
    assert sorted(rejected(items)) == [
        "file.csv, row 3: unreadable time yesterday",
        "file.csv, row 4: no price",
        "file.csv, row 5: crossed: bid 1.12 above ask 1.11",
        "file.csv, row 6: out of order: an earlier row is later in time",
        "file.csv, row 7: no symbol",
    ]


@pytest.mark.parametrize("price", ["0", "-1.1", "nan", "inf", "-inf"])
async def test_price_that_is_none_is_told_with_its_row(tmp_path: Path, price: str) -> None:
    """Zero, negative, not a number and infinite: the reason names file, row and price."""
    text = f"time,symbol,price\n2026-06-10T14:00:01Z,EURUSD,{price}\n"
    (reason,) = rejected(await played(feed(written(tmp_path, text))))
    assert reason.startswith("file.csv, row 2: price ")
    assert reason.endswith(" is not a positive number")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the file is empty"),
        ("time,symbol,price\n", "no rows"),
        ("symbol,price\nEURUSD,1.1\n", "no time column among symbol, price"),
        ("time,symbol,open,high,close\n1,DAX,1,1,1\n", "no column low"),
        ("time,price\n1,1.1\n", "no symbol column; set TIDELINE_INGEST__FILE_SYMBOL"),
        (
            "time,symbol,price\n1,EURUSB,1.1\n",
            "row 2: unknown symbol 'EURUSB'; did you mean EURUSD",
        ),
        ("time,ts,symbol,price\n1,1,DAX,1.1\n", "columns time and ts both mean time"),
        (
            "time,symbol,price\n1,DAX,1.1\n2,DAX,1.1,7\n",
            "row 3: 4 cells under 3 columns; remove what is too much",
        ),
    ],
)
async def test_broken_file_is_refused_in_one_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    """The line names the file, what is wrong, and the way out."""
    path = written(tmp_path, text)
    with pytest.raises(FeedError) as caught:
        await feed(path).symbols()
    assert str(caught.value).startswith(str(path))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, or no gzip though the name says so."""
    for name in ("file.csv", "file.csv.gz", "file.parquet"):
        path = tmp_path / name
        path.write_bytes(b"time,symbol,price\n\xff\xfe\x00,\xff,1\n")
        with pytest.raises(FeedError) as caught:
            await feed(path).symbols()
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


async def test_columns_of_no_meaning_are_in_nobodys_way(tmp_path: Path) -> None:
    """Other columns may be called anything, even as ours are inside."""
    path = written(
        tmp_path,
        "row,raw,fault,at,order,time,symbol,price\nx,x,x,x,x,2026-06-10T14:00:00Z,DAX,24000\n",
    )
    (tick,) = prices(await played(feed(path)))
    assert tick.symbol == "DAX"


async def test_missing_file_is_refused() -> None:
    """There is nothing to play."""
    with pytest.raises(FeedError, match=r"^nowhere\.csv: no such file$"):
        await feed(Path("nowhere.csv")).symbols()


async def test_messy_recording_is_counted_row_by_row(shared_data: Path) -> None:
    """The SPY file holds 5,075 rows too many: every minute is played once, every other row told."""
    path = shared_data / "messy" / "SPY_1m_duplicates_disorder_null.csv.gz"
    items = await played(feed(path, symbol="SPY", timeframe="1m"))
    raw = pl.read_csv(path, infer_schema=False)
    reasons = Counter(reason.split(": ", 1)[1] for reason in rejected(items))
    assert reasons == {
        "the same row stands before it": raw.height - raw.unique().height,
        "no open": raw["Open"].null_count(),
        "out of order: an earlier row is later in time": 3,
    }
    assert reasons.total() == 5_075
    times = raw["Datetime"].str.to_datetime("%Y-%m-%d %H:%M:%S%:z", time_unit="us")
    assert [candle.open_at for candle in prices(items)] == sorted(set(times.dt.epoch("us")))  # type: ignore[union-attr]
