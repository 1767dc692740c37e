"""What the writer refuses, what it is asked for, and how far it says it is. See lines.py."""

import math

import pytest

from services.ingest.domain.items import Cursor, FeedGap, FeedRejected, FeedSource, FeedTick, Item
from services.ingest.domain.spine import SpineWriter
from shared.events import Config, ConfigRequested, DeadLetter, Tick
from tests.ingest.lines import TABLE, at, dead, tick, ticks, time, told, writer, written


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_a_price_that_is_no_positive_number_is_refused(price: float) -> None:
    """Zero, negative and no numbers are refused, inside an open minute and outside."""
    events = writer().process(
        [tick("14:00:01", price), tick("14:00:02", 1.1), tick("14:00:03", price)]
    )
    assert dead(events) == [f"price {price} is not a positive number"] * 2
    assert [event.price for event in events if isinstance(event, Tick)] == [1.1]


def test_a_price_outside_its_session_is_refused() -> None:
    """A price at the very end of the session is outside, and closes nothing by itself."""
    line = [tick("19:59:59", 24_000.0, "NDX"), tick("20:00", 24_001.0, "NDX")]
    assert written(line)[2:] == [
        "dead NDX 2026-06-10T20:00Z is outside its session: NDX trades from 09:30 to 16:00 "
        "America/New_York time"
    ]


def test_an_unknown_symbol_is_refused_by_name() -> None:
    """A price of nobody's instrument is kept as a dead letter that names the nearest."""
    assert written([tick("14:00", 1.1, "EURUSDX")]) == [
        "dead EURUSDX unknown symbol 'EURUSDX'; did you mean EURUSD, XAUUSD? "
        "A new one goes into the instrument file"
    ]


@pytest.mark.parametrize("absurd", [-1, -(10**18), 2**53, 10**18])
def test_an_absurd_time_is_refused(absurd: int) -> None:
    """Times before 1970 or beyond what readers can hold are refused, not choked on."""
    events = writer().process([FeedTick("EURUSD", absurd, 1.1, 0.0, "test")])
    assert dead(events) == [f"time {absurd} is not in microseconds since 1970"]


def test_a_dead_letter_holds_what_was_refused() -> None:
    """Stage, topic, number, fields and their digest are there, so that it can be looked into."""
    process = writer()
    (first, second) = process.process([tick("14:00", -1.0), tick("14:00", -1.0)])
    assert isinstance(first, DeadLetter)
    assert isinstance(second, DeadLetter)
    assert (first.stage, first.topic, first.entry, second.entry) == ("feed", "feed", "1", "2")
    assert first.id != second.id
    pairs = dict(zip(first.body[::2], first.body[1::2], strict=True))
    assert pairs == {
        "type": "FeedTick",
        "symbol": "EURUSD",
        "at": str(at("14:00")),
        "price": "-1.0",
        "size": "0.0",
        "source": "test",
    }
    assert process.rejections.counts == {"number": 2}


def test_what_a_feed_could_not_read_is_kept_with_its_reason() -> None:
    """A broken row is a dead letter with the feed's own words and the row's fields."""
    row = FeedRejected("*", at("14:00"), "row 7: price 'abc' is no number", ("price", "abc"))
    (event,) = writer().process([row])
    assert isinstance(event, DeadLetter)
    assert (event.symbol, event.reason, event.body) == ("*", row.reason, ["price", "abc"])


# Configuration, sources, gaps


def requested(kind: str, name: str, version: str) -> ConfigRequested:
    return ConfigRequested(
        symbol="*", at=1, pos=0, kind=kind, name=name, version=version, body={"n": version}
    )


def test_an_instrument_is_introduced_once_before_its_first_entry() -> None:
    """Each symbol's instrument stands before anything else of it, and is not repeated."""
    process = writer()
    process.process(ticks("14:00:01 1.10 | 14:01:01 1.10"))
    state = process.changes()
    again = writer(state).process(ticks("14:02:01 1.10"))
    assert "config instrument EURUSD" not in told(again)


def test_a_changed_instrument_is_told_again() -> None:
    """After a change in the table the new version stands before the symbol's next window."""
    process = writer()
    process.process(ticks("14:00:01 1.10"))
    euro = TABLE.get("EURUSD").model_copy(update={"tick_size": 0.0001})
    others = [one for one in TABLE.instruments if one.symbol != "EURUSD"]
    changed = SpineWriter(type(TABLE)([euro, *others]), process.changes())
    events = changed.process(ticks("14:01:01 1.10 | 14:02:01 1.10"))
    configs = [event for event in events if isinstance(event, Config)]
    assert [config.body["tick_size"] for config in configs] == [0.0001]
    assert told(events)[:2] == ["close EURUSD 14:01 1m", "config instrument EURUSD"]


def test_a_request_becomes_a_config_entry_at_the_markets_time() -> None:
    """A rule set asked for through the inbox stands on the spine with the time of the market."""
    process = writer()
    process.process([time("14:00:30")])
    (config,) = process.process([requested("rules", "liquidity", "v1")])
    assert isinstance(config, Config)
    assert (config.kind, config.name, config.version) == ("rules", "liquidity", "v1")
    assert (config.at, config.pos, config.body) == (at("14:00:30"), 2, {"n": "v1"})


def test_a_version_in_force_is_not_written_again() -> None:
    """The same request twice is one entry, over a restart too; going back is a change."""
    process = writer()
    one, two = requested("rules", "a", "v1"), requested("rules", "a", "v2")
    assert told(process.process([one, one])) == ["config rules a"]
    again = writer(process.changes())
    assert again.process([one]) == []
    assert told(again.process([two, one])) == ["config rules a"] * 2


def test_an_instrument_cannot_come_through_the_inbox() -> None:
    """Instruments are the writer's own; a request for one is refused with the way to do it."""
    (letter,) = writer().process([requested("instrument", "EURUSD", "v9")])
    assert isinstance(letter, DeadLetter)
    assert letter.topic == "inbox"
    assert "instrument file" in letter.reason


def test_sources_and_gaps_stand_on_the_spine() -> None:
    """Who gives the prices and what was lost is told in its place."""
    items: list[Item] = [
        FeedSource("EURUSD", at("14:00"), "test", 500.0),
        *ticks("14:00:01 1.10"),
        FeedGap("EURUSD", at("14:05"), at("14:00:01"), "outage"),
    ]
    assert written(items) == [
        "config instrument EURUSD",
        "source EURUSD test 500.0",
        "tick EURUSD 14:00:01 1.1 n0",
        "gap EURUSD 14:00:01-14:05",
    ]


# Cursors


def test_cursors_tell_the_latest_time_and_how_many_came_since() -> None:
    """The cursor counts what was handed over, rejected or not, from the latest time on."""
    process = writer()
    process.process(ticks("14:00:01 1.10 | 14:00:02 1.1 | 14:00:02 -1 | 14:00:01.5 1.1"))
    assert process.cursors() == {"EURUSD": Cursor(at("14:00:02"), 3)}


def test_what_names_no_instrument_is_counted_under_the_star() -> None:
    """Rejections of unknown symbols have a cursor of their own."""
    process = writer()
    process.process([tick("14:00", 1.1, "NOPE"), FeedRejected("*", at("14:00"), "row 2: x", ())])
    assert process.cursors() == {"*": Cursor(at("14:00"), 2)}


def test_another_feed_starts_without_cursors() -> None:
    """When a different source takes over, nothing of it counts as handed over."""
    process = writer()
    process.process([*ticks("14:00:01 1.10"), tick("14:00", 1.1, "NOPE")])
    process.forget_cursors()
    assert process.cursors() == {}
    assert writer(process.changes()).cursors() == {}
