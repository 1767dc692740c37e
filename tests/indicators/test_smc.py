"""EURUSD 15m against the published results of smart-money-concepts.

Its time stamps are broker time, EET in winter and EEST in summer, at the candle's open; days begin
at midnight there, which is 17:00 New York but for a few weeks a year. Converted to UTC here.
"""

import csv
import gzip
from datetime import UTC, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.indicators.domain.levels.fair_value_gaps import GapState
from services.indicators.domain.levels.previous import PreviousState, trading_day, trading_week
from shared.events import CandleClosed
from shared.events.base import micros, moment
from tests.indicators.candles import closed

BROKER = ZoneInfo("EET")
QUARTER = 900_000_000


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with gzip.open(folder / f"golden/smc_eurusd15m/{name}.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def candles(shared_data: Path) -> list[CandleClosed]:
    return [_candle(n, row) for n, row in enumerate(rows(shared_data, "EURUSD_15M"))]


def _candle(n: int, row: dict[str, str]) -> CandleClosed:
    local = datetime.strptime(row["Date"], "%Y.%m.%d %H:%M:%S").replace(tzinfo=BROKER)
    midnight = datetime.combine(local.date(), time(), BROKER)
    open_at = micros(local.astimezone(UTC))
    return closed(
        n,
        *(float(row[part]) for part in ("Open", "High", "Low", "Close")),
        timeframe="15m",
        open_at=open_at,
        at=open_at + QUARTER,
        session_at=micros(midnight.astimezone(UTC)),
    )


def test_gaps_equal_the_published_ones(shared_data: Path, candles: list[CandleClosed]) -> None:
    """Every gap is there with its borders, none is missing, and each is known one candle later.

    The file has a gap on its middle candle's row; ours are confirmed on the next.
    """
    expected = {
        i: (float(row["FVG"]), float(row["Bottom"]), float(row["Top"]))
        for i, row in enumerate(rows(shared_data, "fvg_result_data"))
        if row["FVG"]
    }
    state, found = GapState("fvg"), {}
    for i, candle in enumerate(candles):
        state.update(candle)
        for zone in state.zones[-1:]:
            if zone.confirmed_at == candle.at:
                found[i - 1] = (1.0 if zone.key == "fvg.bullish" else -1.0, zone.low, zone.high)
    assert len(expected) == 5020
    assert found == expected


def test_first_touch_equals_the_published_one(
    shared_data: Path, candles: list[CandleClosed]
) -> None:
    """The first candle that comes back to a gap is the one the file calls mitigating.

    Gaps that the cap pushed out before that are left out; the file keeps all for ever.
    """
    expected = {
        candles[i].at: int(float(row["MitigatedIndex"]))
        for i, row in enumerate(rows(shared_data, "fvg_result_data"))
        if row["FVG"] and float(row["MitigatedIndex"])
    }
    state, compared = GapState("fvg"), 0
    open_before: set[int] = set()
    for i, candle in enumerate(candles):
        state.update(candle)
        replaced = {ended.ref for ended in state.ended if ended.by == "replaced"}
        living = {zone.formed_at for zone in state.zones if zone.status == "open"}
        for formed_at in open_before - living:
            if not any(ref.endswith(_stamp(formed_at)) for ref in replaced):
                assert expected[formed_at] == i
                compared += 1
        open_before = living
    assert compared > 4_000


def _stamp(at: int) -> str:
    return moment(at).strftime("%Y-%m-%dT%H:%MZ")


def published(folder: Path, name: str) -> list[tuple[float, float] | None]:
    return [
        (float(row["PreviousHigh"]), float(row["PreviousLow"])) if row["PreviousHigh"] else None
        for row in rows(folder, f"previous_high_low_result_data_{name}")
    ]


def ours(candles: list[CandleClosed], period: Any) -> list[tuple[float, float] | None]:
    """High and low of the period before, as known after each candle."""
    state, found = PreviousState("previous", period), []
    # The first period of the file is seen from its beginning, which nothing before it can tell.
    state.number = -1
    for candle in candles:
        state.update(candle)
        high_low = [level.price for level in state.levels[:2]]
        found.append((high_low[0], high_low[1]) if high_low else None)
    return found


def first_of_sessions(candles: list[CandleClosed]) -> set[int]:
    pairs = enumerate(pairwise(candles), start=1)
    return {0, *(i for i, (before, c) in pairs if c.session_at != before.session_at)}


def test_previous_day_equals_the_published_one(
    shared_data: Path, candles: list[CandleClosed]
) -> None:
    """Yesterday's high and low are the file's on every row but the first of each day.

    On that row (00:00) the file still shows the day before yesterday: it looks for days that ended
    before the row's time, and yesterday ended right at it.
    """
    expected, found = published(shared_data, "1D"), ours(candles, trading_day)
    rows = zip(found, expected, strict=True)
    assert {i for i, (a, b) in enumerate(rows) if a != b} <= first_of_sessions(candles)


def test_previous_four_hours_equal_the_published_ones(
    shared_data: Path, candles: list[CandleClosed]
) -> None:
    """With blocks of four broker hours for sessions the same holds, with the same exception."""
    blocks = [c.model_copy(update={"session_at": _block(c)}) for c in candles]
    expected, found = published(shared_data, "4h"), ours(blocks, lambda session_at: session_at)
    rows = zip(found, expected, strict=True)
    assert {i for i, (a, b) in enumerate(rows) if a != b} <= first_of_sessions(blocks)


def _block(candle: CandleClosed) -> int:
    local = moment(candle.open_at).astimezone(BROKER)
    start = datetime(local.year, local.month, local.day, local.hour // 4 * 4, tzinfo=BROKER)
    return micros(start.astimezone(UTC))


def test_previous_week_equals_the_published_one(
    shared_data: Path, candles: list[CandleClosed]
) -> None:
    """Last week's high and low are the file's, which shows each of them one week too late.

    The file labels a week with the Sunday it *ends* on and then takes the last but one label, so
    its rows show the week before last. All 50 weeks are there, on the rows where ours change.
    """
    expected = _changes(published(shared_data, "W"))
    found = _changes(ours(candles, trading_week))
    assert len(expected) == 50
    assert [week for _, week in found[:-1]] == [week for _, week in expected]
    assert [row for row, _ in found[1:]] == [row for row, _ in expected]


def _changes(column: list[tuple[float, float] | None]) -> list[tuple[int, tuple[float, float]]]:
    changed = enumerate(pairwise([None, *column]))
    return [(i, now) for i, (before, now) in changed if now is not None and now != before]
