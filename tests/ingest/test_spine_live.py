"""What only live feeds say: how far each symbol is, and candles that fill up a begun minute."""

import pytest

from services.ingest.domain.candles import CandlesStep
from services.ingest.domain.items import FeedCandle, FeedReached, Item
from shared.events import CandleClosed, DeadLetter
from shared.events.candle import Origin
from tests.ingest.lines import at, candle, ticks, told, writer, written


def filled(when: str, prices: tuple[float, float, float, float], volume: float) -> FeedCandle:
    return candle("1m", when, prices)._replace(origin="backfill", volume=volume)


def test_the_time_alone_closes_nothing() -> None:
    """While its provider is silent a symbol's windows stay open, and the partition's time goes."""
    assert written([*ticks("14:00:01 1.10"), FeedReached("*", at("14:07"))]) == [
        "config instrument EURUSD",
        "tick EURUSD 14:00:01 1.1 n0",
        "heartbeat 14:07",
    ]


def test_a_symbol_is_closed_as_far_as_it_was_told() -> None:
    """What is reached closes this symbol's windows after its grace, and no other's."""
    items: list[Item] = [
        *ticks("14:00:01 1.10"),
        *ticks("14:00:01 17000", "NDX"),
        FeedReached("EURUSD", at("14:01:01.9")),
        FeedReached("EURUSD", at("14:01:02")),
        FeedReached("EURUSD", at("14:01:02")),
        FeedReached("DAX", at("14:01:02")),
    ]
    assert [line for line in written(items) if "close" in line] == ["close EURUSD 14:01 1m"]


def test_a_fill_completes_a_minute_that_has_begun() -> None:
    """After an outage a minute's own candle joins the prices that came of it before."""
    spine = writer().process(
        [*ticks("14:00:01 1.10 | 14:00:20 1.12"), filled("14:00", (1.09, 1.15, 1.08, 1.11), 0.0)]
    )
    (closed,) = CandlesStep({}).process(spine)
    assert isinstance(closed, CandleClosed)
    assert (closed.open, closed.high, closed.low, closed.close) == (1.09, 1.15, 1.08, 1.11)
    assert (closed.volume, closed.ticks, closed.origin) == (0.0, 2, "live")


@pytest.mark.parametrize(
    ("origin", "when"), [("live", "14:01"), ("seed", "14:01"), ("backfill", "14:00")]
)
def test_nothing_else_joins_prices_that_are_there(origin: Origin, when: str) -> None:
    """A live candle over prices is late, and so is a fill of a minute that is closed."""
    late = candle("1m", when, (1.1, 1.1, 1.1, 1.1))._replace(origin=origin)
    *_, last = writer().process([*ticks("14:00:01 1.10 | 14:01:20 1.12"), late])
    assert isinstance(last, DeadLetter)
    assert told([last])[0].startswith("dead EURUSD late: a 1m candle")
