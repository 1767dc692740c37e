"""One live symbol: seeds, fills, what is handed over once, and to whom it turns. Time lines in UTC.

Wednesday 2026-06-10; EURUSD opened at 21:00 the day before, NDX opens at 13:30 and closes at 20:00.
"""

from collections.abc import Sequence

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from services.ingest.domain.asking import Answer, Ask, Given, Refused
from services.ingest.domain.items import (
    Cursor,
    FeedCandle,
    FeedGap,
    FeedReached,
    FeedRejected,
    FeedSource,
    Item,
)
from services.ingest.domain.spine import SpineWriter
from services.ingest.domain.track import Reach, Track
from shared.events import DeadLetter
from shared.market.timeframes import LENGTH_US
from tests.ingest.lines import TABLE, at, clock

S = 1_000_000
MINUTE, DAY = LENGTH_US["1m"], LENGTH_US["1d"]
REACH: Reach = {
    "1m": (28 * DAY, 4 * DAY),
    "15m": (59 * DAY, 59 * DAY),
    "1h": (700 * DAY, 700 * DAY),
}
NAMES = {"first": "EUR/USD", "second": "EURUSD=X"}


def track(now: str, cursor: str | None, symbol: str = "EURUSD") -> Track:
    known = None if cursor is None else Cursor(at(cursor), 1)
    return Track(TABLE.get(symbol), NAMES, known, at(now))


def given(*openings: str) -> tuple[Given, ...]:
    return tuple(Given(at(one), 1.1, 1.2, 1.0, 1.15, 1.0) for one in openings)


def minutes(since: str, until: str) -> tuple[Given, ...]:
    return tuple(
        Given(opened, 1.1, 1.2, 1.0, 1.15, 1.0) for opened in range(at(since), at(until), MINUTE)
    )


def told(items: Sequence[Item]) -> list[str]:
    """``live 14:00``, ``source first``, ``gap 13:00-14:00``, ``reached 14:01``, ``rejected``."""
    return [_told(item) for item in items]


def _told(item: Item) -> str:
    match item:
        case FeedCandle():
            return f"{item.origin} {clock(item.open_at)}"
        case FeedSource():
            return f"source {item.source} {item.delay_ms:g}"
        case FeedGap():
            return f"gap {clock(item.since)}-{clock(item.at)}"
        case FeedReached():
            return f"reached {clock(item.at)}"
        case FeedRejected():
            return "rejected"
        case _:
            raise AssertionError(f"no text for {item!r}")


def asked(one: Track, now: str, provider: str = "first") -> Ask:
    ask = one.ask(provider, at(now), REACH)
    assert ask is not None
    return ask


def answered(
    one: Track, now: str, candles: Sequence[Given], provider: str = "first", market: str = ""
) -> list[str]:
    """Ask and answer at once."""
    market_at = at(market) if market else max((c.open_at for c in candles), default=None)
    reply = Answer(tuple(candles), market_at)
    return told(one.take(asked(one, now, provider), provider, reply, MINUTE, at(now)).items)


def test_a_new_symbol_is_seeded_before_its_first_live_price() -> None:
    """Hours, quarter hours, minutes, each from a window's edge; then the source, then live ones."""
    one = track("14:20:30", None)
    asks = []
    for _ in range(3):
        ask = asked(one, "14:20:30")
        asks.append((ask.timeframe, clock(ask.since), clock(ask.until)))
        last = Given(ask.until - LENGTH_US[ask.timeframe], 1.1, 1.2, 1.0, 1.15, 1.0)
        last = last._replace(open_at=last.open_at // MINUTE * MINUTE)
        items = one.take(ask, "first", Answer((last,)), MINUTE, at("14:20:30")).items
        assert {type(item) for item in items} <= {FeedCandle, FeedReached}
        assert all(item.origin == "seed" for item in items if isinstance(item, FeedCandle))
    assert asks == [
        ("1h", "04-29 21:00", "06-03 21:00"),
        ("15m", "06-03 21:00", "11:15"),
        ("1m", "11:15", "14:20:30"),
    ]
    assert answered(one, "14:21:03", minutes("14:19", "14:22")) == [
        "source first 0",
        "live 14:20",
        "reached 14:21",
    ]


def test_a_restart_goes_on_where_the_spine_is() -> None:
    """The gap is filled minute by minute, once each, and then prices are live."""
    one = track("14:20:10", "14:10")
    assert answered(one, "14:20:10", minutes("14:08", "14:21")) == [
        "source first 0",
        *(f"backfill 14:{minute}" for minute in range(10, 16)),
        *(f"live 14:{minute}" for minute in range(16, 20)),
        "reached 14:20",
    ]
    assert answered(one, "14:21:04", minutes("14:15", "14:22")) == ["live 14:20", "reached 14:21"]


def test_a_minute_begun_by_ticks_is_filled_up() -> None:
    """A cursor inside a minute: that minute's own candle joins as a fill, even if it is recent."""
    one = track("14:10:40", "14:10:20")
    assert answered(one, "14:10:40", minutes("14:09", "14:11"))[1:] == ["reached 14:10:20"]
    ask = asked(one, "14:11:04")
    joined, *_ = one.take(
        ask, "first", Answer(minutes("14:09", "14:12")), MINUTE, at("14:11:04")
    ).items
    assert isinstance(joined, FeedCandle)
    # The volume of the prices that are there is not to be counted twice.
    assert (told([joined]), joined.volume) == (["backfill 14:10"], 0.0)


def test_a_forming_candle_waits_until_it_is_over() -> None:
    """The newest candle is taken once a later one is there, or it has been over for a moment."""
    one = track("14:10:01", "14:10")
    assert answered(one, "14:10:01", given("14:10")) == ["source first 0", "reached 14:10"]
    assert answered(one, "14:11:01", given("14:10")) == ["reached 14:10"]
    assert answered(one, "14:11:05", given("14:10")) == ["live 14:10", "reached 14:11"]
    assert answered(one, "14:12:01", given("14:11", "14:12")) == ["live 14:11", "reached 14:12"]


def test_what_is_repeated_or_out_of_order_is_put_right_and_counted() -> None:
    """Duplicates, disorder, windows of no session, what was handed over: each minute comes once."""
    one = track("14:10:00", "14:10")
    answered(one, "14:10:00", ())
    messy = given("14:12", "14:10", "14:11", "14:11", "14:13")
    taken = one.take(
        asked(one, "14:13:02"), "first", Answer(messy, None, 2), MINUTE, at("14:13:02")
    )
    assert told(taken.items)[:-1] == ["live 14:10", "live 14:11", "live 14:12"]
    assert taken.dropped == {"duplicate": 1, "disorder": 2, "forming": 1, "empty": 2}


def test_a_candle_of_the_future_is_told_once_and_closes_nothing() -> None:
    """It waits for its own time."""
    one = track("14:10:00", "14:10")
    answered(one, "14:10:00", ())
    ahead = given("14:10", "14:11", "14:40")
    first = answered(one, "14:11:02", ahead, market="14:11")
    assert first == ["live 14:10", "rejected", "reached 14:11"]
    assert answered(one, "14:12:02", ahead, market="14:11") == ["reached 14:11"]


def test_without_a_later_candle_a_window_is_given_time() -> None:
    """A minute without a trade: the windows may close once nothing has come for three minutes."""
    one = track("14:10:00", "14:10")
    answered(one, "14:10:02", given("14:09", "14:10"))
    assert answered(one, "14:12:03", given("14:10"), market="14:12")[-1] == "reached 14:11"
    assert answered(one, "14:16:03", given("14:10"), market="14:16")[-1] == "reached 14:13:03"


def test_a_delayed_provider_is_known_by_its_delay() -> None:
    """Prices a quarter of an hour late are live, and their windows wait for them."""
    one = track("14:30:00", "14:10")
    items = answered(one, "14:30:00", minutes("14:10", "14:16"), market="14:15")
    assert items[0] == "source first 900000"
    assert items[-1] == "reached 14:15"
    assert answered(one, "14:31:05", minutes("14:10", "14:17")) == ["live 14:15", "reached 14:16"]
    assert one.next_at == at("14:32:03")


def test_while_the_market_is_closed_nobody_is_asked() -> None:
    """After the last candle of the session the next question is for the next session's first."""
    one = track("19:59:30", "19:59", "NDX")
    answered(one, "19:59:30", ())
    items = answered(one, "20:00:04", given("19:59"), market="19:59:59")
    assert items == ["live 19:59", "reached 20:00"]
    assert one.ask("first", at("20:01:03"), REACH) is None
    assert clock(one.next_at) == "06-11 13:31:03"


def test_an_outage_over_the_sessions_end_is_filled_the_next_day() -> None:
    """Nobody answered from before the close until after the next open: nothing is lost."""
    one = track("19:40:30", "19:40", "NDX")
    answered(one, "19:40:30", ())
    ask = asked(one, "2026-06-11 13:32")
    assert clock(ask.since) == "19:40"
    between = (*minutes("19:40", "20:00"), *minutes("2026-06-11 13:30", "2026-06-11 13:32"))
    items = one.take(ask, "first", Answer(between), MINUTE, at("2026-06-11 13:32:04")).items
    assert len([item for item in items if isinstance(item, FeedCandle)]) == 22


def test_a_refused_symbol_is_asked_of_the_next() -> None:
    """Not found is said once, anything else three times; after a while the first is tried again."""
    one = track("14:10:00", "14:10")
    answered(one, "14:10:00", ())
    assert one.active(at("14:10:10"), ()) == "first"
    one.refused("first", Refused("not found"), MINUTE, at("14:10:10"))
    assert one.active(at("14:10:10"), ()) == "second"
    assert one.active(at("14:20:10"), ()) == "first"
    for _ in range(3):
        assert one.active(at("14:20:10"), ()) == "first"
        one.refused("first", Refused("hm", lasting=False), MINUTE, at("14:20:10"))
    assert one.active(at("14:20:10"), ()) == "second"
    assert one.active(at("14:20:10"), {"second"}) is None


def test_a_change_of_source_is_told_where_it_happens() -> None:
    """The other provider goes on exactly where the first one stopped."""
    one = track("14:10:00", "14:10")
    answered(one, "14:10:00", ())
    assert answered(one, "14:11:04", given("14:10"))[:1] == ["live 14:10"]
    assert answered(one, "14:15:04", minutes("14:11", "14:16"), "second") == [
        "source second 0",
        *(f"live 14:{minute}" for minute in range(11, 15)),
        "reached 14:15",
    ]


def test_a_provider_that_has_had_nothing_for_long_is_left() -> None:
    """It answers, but its market stands still in the middle of the session."""
    one = track("14:10:00", "14:10")
    answered(one, "14:10:00", given("14:09"))
    answered(one, "14:19:00", given("14:09"))
    assert one.active(at("14:19:00"), ()) == "first"
    answered(one, "14:21:00", given("14:09"))
    assert one.active(at("14:21:00"), ()) == "second"


def test_a_fill_that_everybody_refuses_is_a_gap() -> None:
    """What can never be filled is told, and prices go on after it."""
    one = track("14:10:30", "14:00")
    one.refused("first", Refused("no"), MINUTE, at("14:10:30"))
    items = one.refused("second", Refused("no"), MINUTE, at("14:10:30"))
    assert told(items) == ["gap 14:00-14:10:30"]
    assert answered(one, "14:11:04", minutes("14:10", "14:12"))[1:2] == ["live 14:10"]


def test_a_month_away_is_filled_coarsely_after_a_gap() -> None:
    """Up to the end of the session it stopped in nothing can be had minute by minute."""
    one = track("2026-06-10 14:10", "2026-05-11 12:00")
    ask = asked(one, "14:10")
    assert (ask.timeframe, clock(ask.since)) == ("1h", "05-11 21:00")
    items = one.take(ask, "first", Answer(()), MINUTE, at("14:10")).items
    assert told(items)[:2] == ["gap 05-11 12:00-05-11 21:00", "source first 0"]


@pytest.mark.parametrize("cursor", ["14:09:59", "14:10", "14:10:30"])
def test_a_short_absence_asks_from_its_minute_on(cursor: str) -> None:
    """Candles are whole minutes: the one in which the spine stands is asked for again."""
    ask = asked(track("14:30", cursor), "14:30")
    assert (ask.since, ask.until) == (at(cursor) // MINUTE * MINUTE, at("14:30"))


STEPS = st.lists(
    st.tuples(st.integers(1, 900), st.sampled_from(["answered", "failed", "first is lost"])),
    min_size=1,
    max_size=20,
)


@settings(deadline=None)
@drawn(STEPS)
def test_however_it_is_asked_each_minute_comes_once(steps: list[tuple[int, str]]) -> None:
    """Any pauses, failures and changes of source: no minute lost, none twice, none too late."""
    one, now = track("14:00", "14:00"), at("14:00")
    writer, opened = SpineWriter(TABLE, {}), list[int]()
    for seconds, outcome in steps:
        now += seconds * S
        provider = one.active(now, ("first",) if outcome == "first is lost" else ())
        assert provider is not None
        ask = one.ask(provider, now, REACH) if one.next_at <= now else None
        if ask is None or outcome == "failed":
            continue
        candles = minutes(clock(ask.since), clock(min(ask.until, now)))
        taken = one.take(ask, provider, Answer(candles, now), MINUTE, now)
        opened += [item.open_at for item in taken.items if isinstance(item, FeedCandle)]
        written = writer.process(taken.items)
        assert [event for event in written if isinstance(event, DeadLetter)] == []
    assert opened == list(range(at("14:00"), one.known // MINUTE * MINUTE, MINUTE))
