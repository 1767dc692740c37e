"""Holidays and half-days of real exchanges, as published, in the sessions of instruments."""

from datetime import date

import pytest

from services.ingest.adapters.holidays import exceptions, observed
from services.ingest.domain.contracts import contract
from services.ingest.domain.instruments import InstrumentTable, built_in
from services.ingest.domain.lifetimes import last_day
from services.ingest.domain.sessions import SessionCalendar
from services.ingest.settings import IngestSection
from shared.events.base import micros, moment
from shared.service.settings import SettingsError
from tests.ingest.lines import at

TABLE = InstrumentTable(built_in())
NOW = at("2026-11-21 12:00")
LIVE = IngestSection.model_validate({"feed": "live"})


def of(symbol: str, first: str, last: str) -> dict[str, str]:
    """The exceptions of an instrument's session between two dates."""
    one = TABLE.get(symbol)
    return exceptions(
        one.calendar, one.session, date.fromisoformat(first), date.fromisoformat(last)
    )


@pytest.mark.parametrize(
    ("symbol", "first", "last", "expected"),
    [
        # Thanksgiving, the half-day after it, Christmas Eve and Christmas.
        ("NDX", "2026-11-23", "2026-11-30", {"2026-11-26": "closed", "2026-11-27": "09:30-13:00"}),
        ("DAX", "2026-04-01", "2026-04-08", {"2026-04-03": "closed", "2026-04-06": "closed"}),
        ("NIFTY 50", "2026-11-20", "2026-11-30", {"2026-11-24": "closed"}),
        # A session that starts on Wednesday evening belongs to Thursday: it ends at noon.
        (
            "MES",
            "2026-11-23",
            "2026-11-29",
            {"2026-11-25": "17:00-12:00", "2026-11-26": "17:00-12:00"},
        ),
        ("MES", "2026-12-24", "2026-12-24", {"2026-12-24": "closed"}),
        ("GC", "2026-04-02", "2026-04-02", {"2026-04-02": "closed"}),
    ],
)
def test_holidays_are_those_of_the_exchange(
    symbol: str, first: str, last: str, expected: dict[str, str]
) -> None:
    """Closed all day, or ending early, by the date on which the session would start."""
    assert of(symbol, first, last) == expected


def test_every_calendar_of_ours_is_known_and_fits() -> None:
    """Of a year at least 240 sessions are left, and no exception makes an impossible one."""
    table = observed(TABLE, LIVE, NOW)
    since, until = at("2026-01-01 00:00"), at("2027-01-01 00:00")
    for one in table.instruments:
        spans = list(SessionCalendar(one.session).between(since, until))
        assert 240 <= len(spans) <= 366, one.symbol
        assert all(span.open_at < span.end for span in spans)
        assert bool(one.session.exceptions) == bool(one.calendar)


def test_what_the_user_says_stands() -> None:
    """A day in the instrument file is believed, whatever the exchange says."""
    one = TABLE.get("NDX")
    session = one.session.model_copy(update={"exceptions": {"2026-11-26": "10:00-12:00"}})
    table = observed(InstrumentTable([one.model_copy(update={"session": session})]), LIVE, NOW)
    found = table.get("NDX").session.exceptions
    assert found["2026-11-26"] == "10:00-12:00"
    assert found["2026-11-27"] == "09:30-13:00"


@pytest.mark.parametrize(
    "section", [{"feed": "demo"}, {"feed": "none"}, {"feed": "live", "holidays": False}]
)
def test_markets_that_are_not_real_keep_no_holidays(section: dict[str, object]) -> None:
    """Nor does whoever has switched them off."""
    assert observed(TABLE, IngestSection.model_validate(section), NOW) is TABLE


def test_the_same_year_gives_the_same_sessions() -> None:
    """A restart tells the spine nothing new, until the year is another."""
    summer, winter = at("2026-06-10 12:00"), at("2026-12-31 12:00")
    assert (
        observed(TABLE, LIVE, summer).get("DAX").session
        == observed(TABLE, LIVE, winter).get("DAX").session
    )


def test_contracts_end_before_a_holiday() -> None:
    """The last Tuesday of November 2026 is Guru Nanak Jayanti: Nifty's month ends on Monday."""
    table = observed(TABLE, LIVE, NOW)
    future = table.get("NIFTY26NOVFUT")
    assert contract(future.symbol, moment(NOW).date()) is not None
    assert last_day(future) == date(2026, 11, 23)


def test_an_unknown_calendar_is_named() -> None:
    """With the instrument, and names that are known."""
    one = TABLE.get("NDX").model_copy(update={"calendar": "NYSEX"})
    with pytest.raises(SettingsError, match=r"instrument NDX: nobody knows the calendar 'NYSEX'"):
        observed(InstrumentTable([one]), LIVE, NOW)


def test_a_half_day_ends_where_it_does() -> None:
    """The candle windows of the day after Thanksgiving end at 13:00 New York, 18:00 UTC."""
    session = observed(TABLE, LIVE, NOW).get("NDX").session
    span = SessionCalendar(session).at(at("2026-11-27 15:00"))
    assert span is not None
    assert span.end == micros(moment(at("2026-11-27 18:00")))
