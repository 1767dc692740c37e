"""A recorded file of duplicated, disordered and empty rows, sent as a provider would send it."""

import csv
import gzip
from datetime import datetime
from pathlib import Path

from services.ingest.adapters.feeds.yfinance.parse import read
from services.ingest.domain.asking import Answer
from services.ingest.domain.candles import CandlesStep
from services.ingest.domain.items import FeedCandle
from services.ingest.domain.screening import Stretch, screen
from services.ingest.domain.sessions import SessionCalendar
from services.ingest.domain.spine import SpineWriter
from shared.events import CandleClosed, CandleIn, DeadLetter
from shared.events.base import micros
from tests.ingest.lines import TABLE
from tests.ingest.live.bodies import as_body, chart

S = 1_000_000


def test_what_is_messy_is_counted_and_the_rest_is_whole(shared_data: Path) -> None:
    """5,075 repeats, 18 rows out of order, one empty row: each minute of the session comes once."""
    path = shared_data / "messy" / "SPY_1m_duplicates_disorder_null.csv.gz"
    rows: list[tuple[int, tuple[float | None, ...], float | None]] = []
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            at = micros(datetime.fromisoformat(row["Datetime"]))
            values = [float(row[n]) if row[n] else None for n in ("Open", "High", "Low", "Close")]
            rows.append((at // S, tuple(values), float(row["Volume"] or 0)))
    reply = read(200, None, as_body(chart(rows)))
    assert isinstance(reply, Answer)
    assert reply.empty_rows == 1
    spy = TABLE.get("NDX")
    calendar = SessionCalendar(spy.session)
    times = [one.open_at for one in reply.candles]
    now = max(times) + 3600 * S
    found = screen(reply.candles, Stretch("1m", min(times), now, now), calendar, now)
    assert found.dropped["duplicate"] + reply.empty_rows == 5_075
    opened = [sound.given.open_at for sound in found.candles]
    assert opened == sorted(set(times) & {at for at in times if calendar.at(at) is not None})
    writer = SpineWriter(TABLE, {})
    spine = writer.process(
        [
            FeedCandle("NDX", "1m", given.open_at, end, *given[1:], "yfinance", "live")
            for given, end in found.candles
        ]
    )
    assert [event for event in spine if isinstance(event, DeadLetter)] == []
    assert len([event for event in spine if isinstance(event, CandleIn)]) == len(opened)
    closed = [one for one in CandlesStep({}).process(spine) if isinstance(one, CandleClosed)]
    assert len([one for one in closed if one.timeframe == "1m"]) == len(opened)
