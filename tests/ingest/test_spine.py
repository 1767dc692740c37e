"""What the writer puts on the spine, drawn as time lines. See lines.py for the notation."""

import math

import pytest

from services.ingest.domain.items import (
    Item,
)
from shared.events import DeadLetter, Tick
from tests.ingest.lines import at, candle, dead, tick, ticks, time, told, writer, written

ALL = "1m 5m 15m 1h 4h 1d"


def test_a_close_stands_before_the_price_that_passes_it() -> None:
    """The price of 14:01 ends the minute before it; a price exactly on the edge is the next's."""
    assert written(ticks("14:00:01 1.10 | 14:00:59.9 1.11 | 14:01 1.12")) == [
        "config instrument EURUSD",
        "tick EURUSD 14:00:01 1.1 n0",
        "tick EURUSD 14:00:59.9 1.11 n1",
        "close EURUSD 14:01 1m",
        "tick EURUSD 14:01 1.12 n0",
    ]


def test_closes_come_by_end_and_name_timeframes_in_order() -> None:
    """A price after a long silence ends one window after the other, only those with prices."""
    # 13:58:30      14:00                14:20
    # x             |                    x
    # 1m ends 13:59, 5m, 15m and 1h at 14:00; 4h (13:00-17:00) and 1d go on.
    assert written(ticks("13:58:30 1.10 | 14:20 1.12"))[2:] == [
        "close EURUSD 13:59 1m",
        "close EURUSD 14:00 5m 15m 1h",
        "tick EURUSD 14:20 1.12 n0",
    ]


def test_a_session_end_closes_everything_at_once() -> None:
    """Over the weekend all six windows end, the day's with the session; Sunday opens new ones."""
    line = ticks("2026-06-12 20:59:30 1.10 | 2026-06-14 21:00:10 1.12")
    assert written(line)[2:] == [
        f"close EURUSD 06-12 21:00 {ALL}",
        "tick EURUSD 06-14 21:00:10 1.12 n0",
    ]


def test_the_clock_closes_after_the_grace() -> None:
    """Without a further price a window ends once the time has passed its end by two seconds."""
    items: list[Item] = [*ticks("14:00:01 1.10"), time("14:01:01.999999"), time("14:01:02")]
    assert written(items)[2:] == ["heartbeat 14:01", "close EURUSD 14:01 1m"]


def test_prices_inside_the_grace_still_count() -> None:
    """A price that is delivered after its minute's end, but within the grace, belongs to it."""
    items: list[Item] = [
        *ticks("14:00:01 1.10"),
        time("14:01:01"),
        tick("14:00:59", 1.11),
        time("14:01:02"),
    ]
    assert written(items)[-2:] == ["tick EURUSD 14:00:59 1.11 n1", "close EURUSD 14:01 1m"]


def test_one_heartbeat_a_minute_even_without_symbols() -> None:
    """An empty partition moves once a minute of the market's time, whatever the steps."""
    items: list[Item] = [
        time("14:00:01"),
        time("14:00:30"),
        time("14:01"),
        time("14:01"),
        time("18:30:10"),
    ]
    assert written(items) == ["heartbeat 14:00", "heartbeat 14:01", "heartbeat 18:30"]


def test_time_never_goes_back() -> None:
    """A time before the one reached changes nothing."""
    assert written([time("14:05"), time("14:03")]) == ["heartbeat 14:05"]


def test_the_clock_closes_symbols_in_the_order_of_their_ends() -> None:
    """What ends first is closed first; symbols that end together go by name."""
    items: list[Item] = [
        tick("13:31:00", 24_000, "NDX"),
        tick("13:30:59", 42_000, "DJI"),
        tick("13:31:01", 24_001, "DAX"),
        time("13:32:10"),
    ]
    closes = [line for line in written(items) if line.startswith("close")]
    assert closes == ["close DJI 13:31 1m", "close DAX 13:32 1m", "close NDX 13:32 1m"]


def test_entries_are_numbered_without_gaps_and_dead_letters_are_not() -> None:
    """Positions count the spine's entries from 1; a dead letter tells after which it came."""
    events = writer().process(
        [*ticks("14:00:01 1.10 | 14:00:02 -1 | 14:01:00 1.12"), time("14:02:05")]
    )
    spine = [event.pos for event in events if not isinstance(event, DeadLetter)]
    assert spine == list(range(1, len(spine) + 1))
    assert [event.pos for event in events if isinstance(event, DeadLetter)] == [2]


def test_ticks_are_numbered_within_their_minute() -> None:
    """Equal times stay apart by their number, which starts anew after the close."""
    line = ticks("14:00:01 1.10 | 14:00:01 1.11 | 14:00:01 1.10 | 14:01:00 1.1")
    events = [event for event in writer().process(line) if isinstance(event, Tick)]
    assert [event.n for event in events] == [0, 1, 2, 0]
    assert len({event.id for event in events}) == 4


def test_an_unvalidated_tick_is_the_validated_one() -> None:
    """The short way to build a tick gives what the model itself would."""
    (_, built) = writer().process(ticks("14:00:01 1.10"))
    assert built == Tick(
        symbol="EURUSD", at=at("14:00:01"), pos=2, price=1.1, size=0, source="test", n=0
    )
    assert Tick.parse({k: str(v) for k, v in dict(built).items()}) == built
    with pytest.raises(ValueError, match="frozen"):
        built.price = 2.0  # type: ignore[misc]


# Out of order and late


def test_a_price_out_of_order_inside_its_open_minute_is_taken() -> None:
    """Order within the minute does not matter to the writer."""
    line = ticks("14:00:30 1.10 | 14:00:10 1.11")
    assert written(line)[1:] == ["tick EURUSD 14:00:30 1.1 n0", "tick EURUSD 14:00:10 1.11 n1"]


def test_a_price_of_a_closed_minute_is_late() -> None:
    """A price older than the open minute, or than the last close, is kept as a dead letter."""
    late = "late: a price of {}, but all before {} is decided"
    line = ticks("14:00:30 1.10 | 14:03:00 1.11 | 14:02:59 1.12")
    assert dead(writer().process(line)) == [
        late.format("2026-06-10T14:02:59Z", "2026-06-10T14:03Z")
    ]
    closed: list[Item] = [
        *ticks("14:00:30 1.10"),
        time("14:02"),
        *ticks("14:00:31 1.11 | 14:01:00 1.12"),
    ]
    events = writer().process(closed)
    assert dead(events) == [late.format("2026-06-10T14:00:31Z", "2026-06-10T14:01Z")]
    assert told(events)[-1] == "tick EURUSD 14:01 1.12 n0"


# Candles


def test_a_candle_closes_what_ends_with_it() -> None:
    """A provider's minute is complete when it comes, so its close follows at once."""
    items: list[Item] = [
        candle("1m", "13:58", (1.1, 1.2, 1.0, 1.1)),
        candle("1m", "13:59", (1.1, 1.2, 1.0, 1.1)),
    ]
    assert written(items) == [
        "config instrument EURUSD",
        "candle_in EURUSD 1m 13:58-13:59",
        "close EURUSD 13:59 1m",
        "candle_in EURUSD 1m 13:59-14:00",
        "close EURUSD 14:00 1m 5m 15m 1h",
    ]


def test_a_candle_opens_no_smaller_window() -> None:
    """From an hourly candle come hours and more, never minutes."""
    items: list[Item] = [candle("1h", "12:00", (1.1, 1.2, 1.0, 1.1)), time("2026-06-10 22:00")]
    closes = [line for line in written(items) if line.startswith("close")]
    assert closes == ["close EURUSD 13:00 1h 4h", "close EURUSD 21:00 1d"]


def test_the_sessions_last_candle_is_as_short_as_the_session_leaves_it() -> None:
    """The last 4h of the Nasdaq is two and a half hours and ends the day."""
    last = candle("4h", "17:30", (24_000.0, 24_010.0, 23_990.0, 24_005.0), "NDX")
    assert written([last])[1:] == [
        "candle_in NDX 4h 17:30-20:00",
        "close NDX 20:00 4h 1d",
    ]


def test_seeds_then_minutes_then_ticks_fill_one_window() -> None:
    """Coarse candles, fine candles and prices go on from one another inside the same hour."""
    items: list[Item] = [
        candle("15m", "14:00", (1.1, 1.2, 1.0, 1.1)),
        candle("1m", "14:15", (1.1, 1.2, 1.0, 1.1)),
        *ticks("14:16:05 1.10 | 14:30:00 1.2"),
    ]
    assert written(items)[1:] == [
        "candle_in EURUSD 15m 14:00-14:15",
        "close EURUSD 14:15 15m",
        "candle_in EURUSD 1m 14:15-14:16",
        "close EURUSD 14:16 1m",
        "tick EURUSD 14:16:05 1.1 n0",
        "close EURUSD 14:17 1m",
        "close EURUSD 14:20 5m",
        "close EURUSD 14:30 15m",
        "tick EURUSD 14:30 1.2 n0",
    ]


@pytest.mark.parametrize(
    "before",
    [
        [candle("1m", "14:03", (1.1, 1.2, 1.0, 1.1))],
        ticks("14:03:30 1.10"),
        [candle("5m", "14:00", (1.1, 1.2, 1.0, 1.1))],
        [candle("1h", "14:00", (1.1, 1.2, 1.0, 1.1))],
    ],
)
def test_a_candle_over_prices_already_taken_is_late(before: list[Item]) -> None:
    """What is in a window already would count twice: a candle of the same time is refused."""
    again = candle("5m", "14:00", (1.1, 1.2, 1.0, 1.1))
    (reason,) = dead(writer().process([*before, again]))
    assert reason.startswith("late: a 5m candle of 2026-06-10T14:00Z, but all before")


def test_a_candle_off_the_sessions_windows_is_refused() -> None:
    """4h of a day that turns at midnight do not fit FX, whose day turns at 17:00 New York."""
    off = candle("4h", "13:00", (1.1, 1.2, 1.0, 1.1))
    off = off._replace(open_at=at("12:00"), at=at("16:00"))
    (reason,) = dead(writer().process([off]))
    assert reason == (
        "a 4h candle from 2026-06-10T12:00Z to 2026-06-10T16:00Z is no window of the session, "
        "which has 2026-06-10T09:00Z to 2026-06-10T13:00Z there"
    )


@pytest.mark.parametrize(
    ("prices", "reason"),
    [
        ((1.1, 1.05, 1.0, 1.0), "high 1.05 is below open or close"),
        ((1.1, 1.2, 1.15, 1.2), "low 1.15 is above open or close"),
        ((1.1, math.inf, 1.0, 1.1), "high inf is not a positive number"),
        ((1.1, 1.2, math.nan, 1.1), "low nan is not a positive number"),
    ],
)
def test_an_impossible_candle_is_refused(
    prices: tuple[float, float, float, float], reason: str
) -> None:
    """The highest price is the highest, and all of them are numbers."""
    assert dead(writer().process([candle("1m", "14:00", prices)])) == [reason]
