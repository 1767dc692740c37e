"""Windows and candles against a naive implementation and against polars, on drawn prices."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby, pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.candles import CandlesStep
from services.ingest.domain.items import FeedTick, FeedTime, Item, Resume
from services.ingest.domain.sessions import SessionCalendar
from services.ingest.domain.spine import SpineWriter
from shared.events import CandleClosed, Event, Tick
from shared.events.base import moment
from shared.events.ticks import Ticks
from shared.market.timeframes import LENGTH_US, TIMEFRAMES, Timeframe
from tests.ingest.lines import TABLE, at

SYMBOLS = ("EURUSD", "NDX", "XAUUSD")
# From Monday noon to Wednesday: two ends of sessions, breaks and nights among them.
BEGIN = at("2026-06-08 12:00")
END = at("2026-06-10 12:00")
Row = tuple[str, Timeframe, int, int, float, float, float, float, float, int]

steps = st.one_of(
    st.integers(0, 2_000_000), st.integers(0, 120_000_000), st.integers(0, 5 * 3_600_000_000)
)
prices = st.integers(9_000, 11_000).map(lambda ticks: ticks / 10_000)


@st.composite
def markets(draw: st.DrawFn) -> list[Item]:
    """Prices of three symbols in nearly the right order, with the time told now and then."""
    items: list[Item] = []
    now = BEGIN
    for step in draw(st.lists(steps, min_size=5, max_size=60)):
        now = min(now + step, END)
        back = draw(st.integers(0, 40_000_000)) if draw(st.integers(0, 9)) == 0 else 0
        if draw(st.integers(0, 7)) == 0:
            items.append(FeedTime(now))
        else:
            symbol = draw(st.sampled_from(SYMBOLS))
            items.append(
                FeedTick(symbol, now - back, draw(prices), draw(st.integers(0, 9)), "test")
            )
    return [*items, FeedTime(END + 3 * LENGTH_US["1d"])]


def run(items: Sequence[Item]) -> tuple[list[Event], list[CandleClosed]]:
    spine = SpineWriter(TABLE, {}).process(items)
    closed = CandlesStep({}).process(spine)
    return spine, [event for event in closed if isinstance(event, CandleClosed)]


def row(event: CandleClosed) -> Row:
    prices = (event.open, event.high, event.low, event.close, event.volume)
    return (event.symbol, event.timeframe, event.open_at, event.at, *prices, event.ticks)


def naive(accepted: Sequence[Tick]) -> set[Row]:
    """Every window counted through on its own, from the ticks that the writer took."""
    windows: dict[tuple[str, Timeframe, int, int], list[Tick]] = defaultdict(list)
    for tick in accepted:
        session = SessionCalendar(TABLE.get(tick.symbol).session).at(tick.at)
        assert session is not None
        for timeframe in TIMEFRAMES:
            length = LENGTH_US[timeframe] if timeframe != "1d" else session.end - session.open_at
            since = session.open_at
            while not since <= tick.at < since + length:
                since += length
            end = min(since + length, session.end)
            windows[tick.symbol, timeframe, since, end].append(tick)
    found = set()
    for key, inside in windows.items():
        ordered = sorted(inside, key=lambda tick: tick.at)
        values = [tick.price for tick in ordered]
        volume = sum(tick.size for tick in ordered)
        shape = (values[0], max(values), min(values), values[-1], volume)
        found.add((*key, *shape, len(ordered)))
    return found


@given(markets())
@settings(max_examples=150, deadline=None)
def test_candles_equal_a_naive_count_of_the_same_ticks(items: list[Item]) -> None:
    """Every candle is exactly its window's ticks, and no window with ticks lacks its candle."""
    spine, closed = run(items)
    found = [row(event) for event in closed]
    assert len(set(found)) == len(found)
    assert set(found) == naive([event for event in spine if isinstance(event, Tick)])


@given(markets())
@settings(max_examples=100, deadline=None)
def test_ticks_as_columns_come_to_the_same(items: list[Item]) -> None:
    """Candles, state and views: as of the same ticks one by one."""
    spine, closed = run(items)
    alone, quick, found = CandlesStep({}), CandlesStep({}), list[Event]()
    alone.process(spine)
    for kind, grouped in groupby(spine, key=type):
        batch = list(grouped)
        if kind is Tick:
            found += quick.ticks(Ticks.of([one for one in batch if isinstance(one, Tick)]))
        else:
            found += quick.process(batch)
    assert [one for one in found if isinstance(one, CandleClosed)] == closed
    assert quick.changes() == alone.changes()
    assert quick.views() == alone.views()


@given(markets())
@settings(max_examples=60, deadline=None)
def test_candles_of_fx_equal_polars(items: list[Item]) -> None:
    """polars' own dynamic windows, offset to the session's open, give the same candles."""
    spine, closed = run(items)
    taken = [event for event in spine if isinstance(event, Tick) and event.symbol == "EURUSD"]
    if not taken:
        return
    frame = pl.DataFrame(
        {
            "at": [moment(tick.at) for tick in taken],
            "price": [tick.price for tick in taken],
            "size": [tick.size for tick in taken],
        }
    ).sort("at", maintain_order=True)
    for timeframe in TIMEFRAMES:
        groups = frame.group_by_dynamic(
            "at",
            every=timedelta(microseconds=LENGTH_US[timeframe]),
            # 17:00 New York in summer: 21:00Z, a whole number of minutes and hours.
            offset=timedelta(hours=21 % 4 if timeframe == "4h" else 21 if timeframe == "1d" else 0),
        ).agg(
            pl.col("price").first().alias("open"),
            pl.col("price").max().alias("high"),
            pl.col("price").min().alias("low"),
            pl.col("price").last().alias("close"),
            pl.col("size").sum().alias("volume"),
            pl.len().alias("ticks"),
        )
        expected = groups.rows()
        found = [
            (moment(one.open_at), one.open, one.high, one.low, one.close, one.volume, one.ticks)
            for one in closed
            if one.symbol == "EURUSD" and one.timeframe == timeframe
        ]
        assert found == expected


@given(markets())
@settings(max_examples=60, deadline=None)
def test_closes_come_in_order_and_once(items: list[Item]) -> None:
    """Within a symbol the candles' ends never go back, and each timeframe's follow one another."""
    _, closed = run(items)
    for symbol in SYMBOLS:
        ends = [event.at for event in closed if event.symbol == symbol]
        assert ends == sorted(ends)
        for timeframe in TIMEFRAMES:
            mine = [
                (event.open_at, event.at)
                for event in closed
                if event.symbol == symbol and event.timeframe == timeframe
            ]
            assert all(before[1] <= after[0] for before, after in pairwise(mine))


@given(markets(), st.data())
@settings(max_examples=100, deadline=None)
def test_batches_do_not_matter(items: list[Item], data: st.DataObject) -> None:
    """However the items are cut into batches, spine and candles are the same."""
    spine, closed = run(items)
    writer, step = SpineWriter(TABLE, {}), CandlesStep({})
    pieces: list[Event] = []
    rest = items
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        pieces += writer.process(rest[:size])
        rest = rest[size:]
    assert pieces == spine
    assert [event for one in pieces for event in step.process([one])] == closed


@given(markets(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_crash_after_any_commit_leaves_the_same_spine(
    items: list[Item], data: st.DataObject
) -> None:
    """Commit some items, lose what was decided since, start a new writer from the state and the
    feed from the cursors: the spine holds what an undisturbed run would have written.
    """
    expected, _ = run(items)
    state: dict[str, str] = {}
    written: list[Event] = []
    lives = 0
    while True:
        lives += 1
        writer = SpineWriter(TABLE, state)
        rest = after(items, writer)
        commits = data.draw(st.integers(1, 4)) if lives < 8 else 1_000
        while rest and commits:
            size = data.draw(st.integers(1, len(rest))) if lives < 8 else len(rest)
            written += writer.process(rest[:size])
            state |= writer.changes()
            rest = rest[size:]
            commits -= 1
        if not rest:
            break
        # Decided, but never committed: gone with the process.
        writer.process(rest[:3])
    assert written == expected


def after(items: Sequence[Item], writer: SpineWriter) -> list[Item]:
    """What a feed that repeats itself hands over from the writer's cursors on."""
    resume = Resume(writer.cursors())
    return [
        item
        for item in items
        if (
            item.at > writer.time
            if isinstance(item, FeedTime)
            else resume.is_new(item.symbol, item.at)
        )
    ]
