"""Sessions and windows in real time: hand-written cases, among them changes of the clocks.

In 2026 the clocks change on 8 March and 1 November in the USA, on 29 March and 25 October in
Europe. Thanksgiving is 26 November, and New York closes at 13:00 on the day after.
"""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.sessions import SessionCalendar, Span, window
from shared.market.instruments import Session
from shared.market.timeframes import LENGTH_US, TIMEFRAMES, Timeframe
from tests.ingest.lines import TABLE, at, clock

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def calendar(symbol: str) -> SessionCalendar:
    return SessionCalendar(TABLE.get(symbol).session)


def span(symbol: str, when: str) -> tuple[str, str, str] | None:
    """Open, end and trading day of the session at an instant, as text."""
    found = calendar(symbol).at(at(when))
    return None if found is None else (clock(found.open_at), clock(found.end), f"{found.day:%m-%d}")


@pytest.mark.parametrize(
    ("symbol", "when", "expected"),
    [
        # Winter and summer of the index exchanges.
        ("NDX", "2026-03-06 15:00", ("03-06 14:30", "03-06 21:00", "03-06")),
        ("NDX", "2026-03-09 15:00", ("03-09 13:30", "03-09 20:00", "03-09")),
        ("DAX", "2026-03-27 08:00", ("03-27 08:00", "03-27 16:30", "03-27")),
        ("DAX", "2026-03-30 07:00", ("03-30 07:00", "03-30 15:30", "03-30")),
        ("VIX", "2026-06-10 13:30", ("13:30", "20:15", "06-10")),
        ("NIFTY 50", "2026-06-10 03:45", ("03:45", "10:00", "06-10")),
        # FX: the day turns at 17:00 New York, whatever that is in UTC.
        ("EURUSD", "2026-03-06 21:59:59.999999", ("03-05 22:00", "03-06 22:00", "03-06")),
        ("EURUSD", "2026-03-08 21:00", ("03-08 21:00", "03-09 21:00", "03-09")),
        ("EURUSD", "2026-11-01 22:00", ("11-01 22:00", "11-02 22:00", "11-02")),
        # Metals pause for the hour before, Chicago for its own.
        ("XAUUSD", "2026-06-10 20:59", ("06-09 22:00", "21:00", "06-10")),
        ("XAUUSD", "2026-06-10 22:00", ("22:00", "06-11 21:00", "06-11")),
        ("MES", "2026-06-10 20:59", ("06-09 22:00", "21:00", "06-10")),
        ("MES", "2026-06-10 22:00", ("22:00", "06-11 21:00", "06-11")),
    ],
)
def test_sessions_follow_local_time(symbol: str, when: str, expected: tuple[str, ...]) -> None:
    """A session opens and ends at its local hours, in winter and in summer."""
    assert span(symbol, when) == expected


@pytest.mark.parametrize(
    ("symbol", "when"),
    [
        ("NDX", "2026-03-09 13:29:59.999999"),
        ("NDX", "2026-03-09 20:00"),
        ("NDX", "2026-06-13 15:00"),
        ("DAX", "2026-06-10 15:30"),
        ("NIFTY 50", "2026-06-10 03:37"),
        ("EURUSD", "2026-06-12 21:00"),
        ("EURUSD", "2026-06-13 12:00"),
        ("EURUSD", "2026-06-14 20:59:59"),
        ("XAUUSD", "2026-06-10 21:30"),
        ("MES", "2026-06-10 21:00"),
        ("MES", "2026-06-12 22:00"),
    ],
)
def test_between_sessions_the_market_is_closed(symbol: str, when: str) -> None:
    """Before the open, from the end on, at weekends and in the daily pause there is no session."""
    assert span(symbol, when) is None


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-07", 24), ("2026-03-08", 23), ("2026-11-01", 25)]
)
def test_a_day_across_a_change_of_clocks_is_longer_or_shorter(day: str, hours: int) -> None:
    """A market that never sleeps has days of 23 and 25 hours in New York."""
    always = Session(zone="America/New_York", start="00:00", end="00:00", days=tuple(range(1, 8)))
    found = SessionCalendar(always).at(at(f"{day} 12:00"))
    assert found is not None
    assert (found.end - found.open_at) / HOUR == hours
    assert found.day == date.fromisoformat(day)


def windows(timeframe: Timeframe, session: Span) -> list[str]:
    """Every window of a session as text."""
    found, since = [], session.open_at
    while since < session.end:
        open_at, end = window(timeframe, since, session)
        assert open_at == since
        found.append(f"{clock(open_at)}-{clock(end)}")
        since = end
    return found


@pytest.mark.parametrize(
    ("symbol", "when", "timeframe", "expected"),
    [
        ("NDX", "14:00", "4h", "13:30-17:30, 17:30-20:00"),
        ("DAX", "09:00", "4h", "07:00-11:00, 11:00-15:00, 15:00-15:30"),
        ("DAX", "09:00", "1d", "07:00-15:30"),
        (
            "NIFTY 50",
            "05:00",
            "1h",
            "03:45-04:45, 04:45-05:45, 05:45-06:45, 06:45-07:45, 07:45-08:45, 08:45-09:45, "
            "09:45-10:00",
        ),
        (
            "EURUSD",
            "12:00",
            "4h",
            "06-09 21:00-01:00, 01:00-05:00, 05:00-09:00, 09:00-13:00, 13:00-17:00, 17:00-21:00",
        ),
        (
            "MES",
            "12:00",
            "4h",
            "06-09 22:00-02:00, 02:00-06:00, 06:00-10:00, 10:00-14:00, 14:00-18:00, 18:00-21:00",
        ),
    ],
)
def test_windows_are_anchored_at_the_open(
    symbol: str, when: str, timeframe: Timeframe, expected: str
) -> None:
    """Windows follow one another from the session's open; the last one ends with the session."""
    session = calendar(symbol).at(at(when))
    assert session is not None
    assert ", ".join(windows(timeframe, session)) == expected


def test_a_half_day_ends_its_windows_early() -> None:
    """On the day after Thanksgiving the last hour is half an hour and the day's candle ends too."""
    given_hours = TABLE.get("NDX").session.model_copy(
        update={"exceptions": {"2026-11-26": "closed", "2026-11-27": "09:30-13:00"}}
    )
    half = SessionCalendar(given_hours)
    assert half.at(at("2026-11-26 16:00")) is None
    assert half.at(at("2026-11-27 18:00")) is None
    session = half.at(at("2026-11-27 16:00"))
    assert session is not None
    assert windows("1d", session) == ["11-27 14:30-11-27 18:00"]
    assert windows("4h", session) == ["11-27 14:30-11-27 18:00"]
    assert windows("1h", session)[-1] == "11-27 17:30-11-27 18:00"


def test_an_exception_can_open_a_day_that_is_closed_otherwise() -> None:
    """A special Sunday session, as India holds it for Diwali, is one more exception."""
    muhurat = TABLE.get("NIFTY 50").session.model_copy(
        update={"exceptions": {"2026-11-08": "18:00-19:00"}}
    )
    found = SessionCalendar(muhurat).at(at("2026-11-08 12:45"))
    assert found is not None
    assert (clock(found.open_at), clock(found.end)) == ("11-08 12:30", "11-08 13:30")


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    """A calendar that remembers its last session answers like a new one, in any order."""
    used = calendar("XAUUSD")
    instants = [at("2026-06-09 22:00") + (i * 7919 % 997) * 11 * MINUTE for i in range(997)]
    assert [used.at(i) for i in instants] == [calendar("XAUUSD").at(i) for i in instants]


def test_neighbours_of_an_instant() -> None:
    """The sessions before and after a weekend are Friday's and Monday's."""
    fx, weekend = calendar("EURUSD"), at("2026-06-13 12:00")
    previous, following = fx.previous(weekend), fx.next(weekend)
    assert previous is not None
    assert following is not None
    assert (clock(previous.end), clock(following.open_at)) == ("06-12 21:00", "06-14 21:00")


def test_sessions_between_two_instants_come_in_order() -> None:
    """A week of FX has five sessions, the one under way at the start included."""
    found = calendar("EURUSD").between(at("2026-06-07 21:30"), at("2026-06-14 21:00"))
    assert [f"{one.day:%a}" for one in found] == ["Mon", "Tue", "Wed", "Thu", "Fri"]


def test_a_market_that_never_opens_is_closed() -> None:
    """An instrument without days has no session, and asking ends."""
    never = SessionCalendar(Session(zone="UTC", start="09:00", end="17:00", days=()))
    assert never.at(at("12:00")) is None
    assert never.next(at("12:00")) is None


@settings(deadline=None)
@given(
    symbol=st.sampled_from(TABLE.symbols),
    instant=st.integers(at("2026-01-01 00:00"), at("2027-01-01 00:00")),
)
def test_windows_nest_and_hold_their_instant(symbol: str, instant: int) -> None:
    """Each window holds its instant, lies in the next larger one and is as long as it should be."""
    session = calendar(symbol).at(instant)
    if session is None:
        return
    inner = (instant, instant + 1)
    for timeframe in TIMEFRAMES:
        open_at, end = window(timeframe, instant, session)
        assert session.open_at <= open_at <= inner[0] < inner[1] <= end <= session.end
        whole = end - open_at == LENGTH_US[timeframe]
        assert whole or end == session.end or timeframe == "1d"
        assert (open_at - session.open_at) % LENGTH_US[timeframe] == 0
        inner = (open_at, end)
