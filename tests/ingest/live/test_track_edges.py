"""One live symbol at the edges: times that are none, wishes that change, lives that begin again."""

from services.ingest.adapters.feeds.live.desk import Desk
from services.ingest.domain.asking import Answer, Given
from services.ingest.domain.items import Cursor, FeedCandle
from services.ingest.domain.track import Track
from tests.ingest.lines import TABLE, at, clock
from tests.ingest.live.test_track import (
    MINUTE,
    NAMES,
    answered,
    asked,
    given,
    minutes,
    told,
    track,
)


def test_a_time_beyond_all_calendars_is_left_out() -> None:
    """Milliseconds where seconds belong: counted, and the symbol goes on."""
    one = track("14:10:00", "14:10")
    answered(one, "14:10:00", ())
    beyond = Given(1_000 * at("14:10"), 1.1, 1.2, 1.0, 1.15, 1.0)
    items = answered(one, "14:11:04", (*given("14:10"), beyond), market="14:11")
    assert items[-1] == "reached 14:11"
    assert not {"rejected"} & set(items)


def wished(desk: Desk, now: str, *symbols: str) -> None:
    """These are watched from now on."""
    assert desk.watch(symbols, at(now)) == []


def test_a_symbol_dropped_before_its_seeds_is_seeded_when_wanted_again() -> None:
    """Taken off and put back at once, or while its provider was away: nothing of it is known."""
    desk = Desk(lambda _: True, TABLE, lambda _: NAMES, {})
    for symbols in (("EURUSD",), (), ("EURUSD",)):
        wished(desk, "14:20:30", *symbols)
    ask = asked(desk.tracks["EURUSD"], "14:20:30")
    assert (ask.timeframe, clock(ask.since)) == ("1h", "04-29 21:00")


def test_a_symbol_dropped_among_its_seeds_goes_on_behind_them() -> None:
    """What stands on the spine already is not given again; all after it is filled."""
    desk = Desk(lambda _: True, TABLE, lambda _: NAMES, {})
    wished(desk, "14:20:30", "EURUSD")
    one = desk.tracks["EURUSD"]
    hours = given("2026-06-03 19:00", "2026-06-03 20:00")
    one.take(asked(one, "14:20:30"), "first", Answer(hours), MINUTE, at("14:20:30"))
    wished(desk, "14:20:30")
    wished(desk, "14:20:40", "EURUSD")
    ask = asked(desk.tracks["EURUSD"], "14:20:40")
    assert (ask.timeframe, clock(ask.since)) == ("1m", "06-03 21:00")


def test_a_life_that_begins_where_the_last_one_ended_has_no_gap() -> None:
    """Started again in the same moment, or by a clock that is behind: nothing was missed."""
    for now in ("14:10:00", "14:09:58"):
        one = track(now, "14:10")
        assert answered(one, now, ()) == ["source first 0", "reached 14:10"]
        assert answered(one, "14:11:04", given("14:10"))[-2:] == ["live 14:10", "reached 14:11"]


def test_a_minute_that_ended_during_a_restart_is_live() -> None:
    """Whoever was away for seconds alerts as whoever was not; what is longer ago is a fill."""
    one = track("14:20:10", "14:15")
    assert answered(one, "14:20:10", minutes("14:15", "14:21"))[1:-1] == [
        "backfill 14:15",
        *(f"live 14:{minute}" for minute in range(16, 20)),
    ]


def test_a_minute_that_may_hold_prices_is_filled_up() -> None:
    """A price at the very start of a minute leaves the same cursor as the candle before it."""
    one = Track(TABLE.get("EURUSD"), NAMES, Cursor(at("14:10"), 1), at("14:10:40"), True)
    answered(one, "14:10:40", ())
    assert answered(one, "14:12:04", minutes("14:10", "14:12"))[:-1] == [
        "backfill 14:10",
        "live 14:11",
    ]


def test_a_fill_in_several_calls_loses_no_minute() -> None:
    """The last minute of each call is over, and none of them is called live for its age in it."""
    one, now = track("14:10:20", "2026-06-04 12:00"), at("14:10:20")
    found: list[FeedCandle] = []
    for _ in range(2):
        ask = asked(one, "14:10:20")
        opened = range(ask.since, ask.until, MINUTE)
        candles = tuple(Given(one, 1.1, 1.2, 1.0, 1.15, 1.0) for one in opened)
        taken = one.take(ask, "first", Answer(candles), MINUTE, now).items
        found += [item for item in taken if isinstance(item, FeedCandle)]
    begun = range(at("2026-06-04 12:00"), at("14:10"), MINUTE)
    assert [one.open_at for one in found] == [m for m in begun if one.calendar.at(m) is not None]
    live_from = at("14:06")
    assert {one.origin for one in found if one.open_at < live_from} == {"backfill"}


def test_a_delayed_provider_is_known_from_its_first_seeds_on() -> None:
    """How late an answer was is told by when it was asked for, not by the past that it is of."""
    one = track("14:20:30", None)
    for _ in range(3):
        ask = asked(one, "14:20:30")
        one.take(ask, "first", Answer((), at("14:05:30")), MINUTE, at("14:20:30"))
    assert one.lag_us("first") == 15 * MINUTE


def test_half_a_minute_at_the_end_of_a_fill_is_asked_for_again() -> None:
    """A provider may cut the last candle off where the asking ends, however late it answers."""
    one = track("14:20:30", "14:19")
    ask = asked(one, "14:30:00")
    half = Answer(minutes("14:19", "14:21"))
    assert "backfill 14:20" not in told(one.take(ask, "first", half, MINUTE, at("14:30")).items)
    assert clock(asked(one, "14:30:04").since) == "14:20"


def test_scarce_credits_make_no_delayed_provider() -> None:
    """One that tells no clock but its newest candle is not late because it was asked late."""
    one = track("14:20:30", None)
    for now in ("14:20:30", "14:24:00", "14:28:00"):
        ask = asked(one, now)
        newest = Given(ask.until // MINUTE * MINUTE - MINUTE, 1.1, 1.2, 1.0, 1.15, 1.0)
        one.take(ask, "first", Answer((newest,), newest.open_at), MINUTE, at(now))
    assert one.lag_us("first") == 0


def test_a_fill_that_ends_before_the_close_is_not_the_sessions_last_word() -> None:
    """Started before the close, answered long after it: the rest is asked for at once."""
    one = track("19:50:00", "19:40", "NDX")
    ask = asked(one, "20:40:00")
    assert clock(ask.until) == "19:50"
    one.take(ask, "first", Answer(minutes("19:40", "19:50")), MINUTE, at("20:40:00"))
    assert clock(asked(one, "20:40:00").since) == "19:50"
