"""Names of futures and options, both ways; what they are; when they end."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.contracts import (
    Contract,
    Future,
    IndianFuture,
    IndianOption,
    contract,
)
from services.ingest.domain.expiry import weekdays
from services.ingest.domain.instruments import InstrumentTable, UnknownSymbol, built_in
from services.ingest.domain.roots import INDIAN, ROOTS, expiry
from services.ingest.domain.spine import SpineWriter
from shared.market.instruments import Session
from tests.ingest.lines import ticks, told

TODAY = date(2026, 11, 21)
TABLE = InstrumentTable(built_in())

months = st.integers(1, 12)
years = st.integers(2000, 2099)
indian_roots = st.from_regex(r"[A-Z][A-Z&-]{0,9}", fullmatch=True)
futures = st.builds(
    Future, st.from_regex(r"[A-Z0-9]{1,5}", fullmatch=True), st.integers(1000, 9999), months
)
indian_futures = st.builds(
    IndianFuture, st.from_regex(r"[A-Z][A-Z0-9&-]{0,9}", fullmatch=True), years, months
)
strikes = st.builds(lambda units: Decimal(units) / 20, st.integers(20, 4_000_000)).map(
    lambda strike: Decimal(f"{strike.normalize():f}")
)
rights = st.sampled_from(["CE", "PE"])
monthly = st.builds(IndianOption, indian_roots, years, months, st.none(), strikes, rights)
weekly = st.builds(
    lambda root, day, strike, right: IndianOption(
        root, day.year, day.month, day.day, strike, right
    ),
    indian_roots,
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    strikes,
    rights,
)


@settings(deadline=None)
@given(st.one_of(futures, indian_futures, monthly, weekly))
def test_what_is_written_is_read_again(one: Contract) -> None:
    """Reading a contract's own symbol gives the contract, whatever day it is."""
    assert contract(one.symbol, TODAY) == one
    assert contract(one.symbol, date(2004, 2, 29)) == one


@settings(deadline=None)
@given(st.text(alphabet="ABCEFNOPSTUVZ0123456789.&-", max_size=24))
def test_what_is_read_is_written_again(text: str) -> None:
    """A text that names a contract of NSE is that contract's symbol, and no other text is."""
    found = contract(text, TODAY)
    if found is not None and not isinstance(found, Future):
        assert found.symbol == text


@settings(deadline=None)
@given(st.sampled_from("FGHJKMNQUVXZ"), st.dates(date(2002, 1, 1), date(2080, 1, 1)))
def test_one_digit_of_the_year_means_the_nearest(letter: str, today: date) -> None:
    """Each of the ten digits is another year, from two years ago to seven ahead."""
    found = [contract(f"ES{letter}{digit}", today) for digit in range(10)]
    meant = sorted(one.year for one in found if isinstance(one, Future))
    assert meant == list(range(today.year - 2, today.year + 8))
    for one in found:
        assert isinstance(one, Future)
        assert contract(f"ES{letter}{one.year % 100:02}", today) == one


@pytest.mark.parametrize(
    ("text", "symbol", "title"),
    [
        ("NIFTY25NOVFUT", "NIFTY25NOVFUT", "NIFTY future, November 2025"),
        ("BANKNIFTY25NOV52000CE", "BANKNIFTY25NOV52000CE", "BANKNIFTY 52000 call, 2025-11-25"),
        # 2025-11-18 and 2025-01-18, in the two ways of writing a month.
        ("NIFTY25N1826000CE", "NIFTY25N1826000CE", "NIFTY 26000 call, 2025-11-18"),
        ("NIFTY2511823200PE", "NIFTY2511823200PE", "NIFTY 23200 put, 2025-01-18"),
        ("FINNIFTY26JAN27250.5PE", "FINNIFTY26JAN27250.5PE", "FINNIFTY 27250.5 put, 2026-01-27"),
        ("MESZ6", "MESZ2026", "Micro E-mini S&P 500, December 2026"),
        ("mesz26", "MESZ2026", "Micro E-mini S&P 500, December 2026"),
        ("ESH2026", "ESH2026", "E-mini S&P 500, March 2026"),
        ("6EH7", "6EH2027", "Euro FX, March 2027"),
        ("GC=F", "GC", "Gold"),
        ("MES=F", "MES", "Micro E-mini S&P 500"),
        ("XETR:DAX", "DAX", "DAX"),
        ("^GDAXI", "DAX", "DAX"),
        ("EUR/USD", "EURUSD", "Euro / US dollar"),
        ("NIFTY50", "NIFTY 50", "Nifty 50"),
    ],
)
def test_people_write_as_they_are_used_to(text: str, symbol: str, title: str) -> None:
    """Every usual way to write an instrument leads to its one symbol."""
    found = TABLE.resolve(text, TODAY)
    assert (found.symbol, found.title) == (symbol, title)
    assert TABLE.get(symbol) == found


@pytest.mark.parametrize(
    "text",
    [
        "NIFTY25NOV",
        "NIFTY25XYZFUT",
        "NIFTY25N3126000CE",  # there is no 31st of November
        "NIFTY25N18026000CE",  # no strike begins with a zero
        "NIFTY25N1826000.0CE",
        "ESZ",
        "ESA6",
        "ESZ123",
        "",
    ],
)
def test_what_only_looks_like_a_contract_is_none(text: str) -> None:
    """A day that there is not, a strike with zeros in front: nobody guesses what was meant."""
    assert contract(text, TODAY) is None


@pytest.mark.parametrize("text", ["ESF6", "QQZ6", "WIPRO25NOVFUT"])
def test_contracts_of_unknown_roots_and_months_are_unknown(text: str) -> None:
    """E-minis have no January; of other roots nobody has said what a tick is."""
    with pytest.raises(UnknownSymbol, match=f"unknown symbol '{text}'"):
        TABLE.resolve(text, TODAY)


def test_names_of_contracts_are_those_of_each_provider() -> None:
    """Yahoo, TradingView and IBKR each call a contract something else."""
    assert TABLE.get("GCZ2026").names == {
        "yfinance": "GCZ26.CMX",
        "tradingview": "COMEX:GCZ2026",
        "ibkr": "FUT:GC:COMEX:USD:202612",
    }
    assert TABLE.get("NIFTY25N1826000CE").names == {
        "tradingview": "NSE:NIFTY251118C26000",
        "ibkr": "OPT:NIFTY50:NSE:INR:20251118:26000:C",
    }


def test_contracts_keep_the_hours_that_the_user_gave_their_root() -> None:
    """Holidays of MES are holidays of each of its months; those of the index, of its options."""
    closed = {"2026-11-26": "closed"}

    def with_holiday(symbol: str) -> Session:
        session = TABLE.get(symbol).session
        return session.model_copy(update={"exceptions": closed})

    changed = [
        TABLE.get(one).model_copy(update={"session": with_holiday(one)})
        for one in ("MES", "NIFTY 50")
    ]
    table = InstrumentTable(changed)
    assert table.get("MESZ2026").session.exceptions == closed
    assert table.get("NIFTY26D0126000CE").session.exceptions == closed


@pytest.mark.parametrize(
    ("symbol", "day"),
    [
        ("ESH2026", "2026-03-20"),
        ("MESZ2026", "2026-12-18"),
        ("FDAXZ2025", "2025-12-19"),
        ("GCZ2025", "2025-12-29"),
        ("CLZ2025", "2025-11-20"),
        ("6EZ2025", "2025-12-15"),
        # NSE went from Thursdays to Tuesdays with what expires from 2025-09-01 on.
        ("NIFTY25AUGFUT", "2025-08-28"),
        ("NIFTY25SEPFUT", "2025-09-30"),
        ("BANKNIFTY25NOV52000CE", "2025-11-25"),
        ("NIFTY25N1826000CE", "2025-11-18"),
    ],
)
def test_contracts_end_when_their_exchange_says(symbol: str, day: str) -> None:
    """Last trading days as CME, COMEX, NYMEX, Eurex and NSE published them."""
    one = contract(symbol, TODAY)
    assert one is not None
    found = expiry(one, weekdays)
    assert found is not None
    assert found.isoformat() == day


def test_a_contract_whose_last_day_is_a_holiday_ends_before_it() -> None:
    """Juneteenth 2026 is the third Friday of June; Mahavir Jayanti, March's last Tuesday."""
    holidays = {date(2026, 6, 19), date(2026, 3, 31)}

    def is_open(day: date) -> bool:
        return weekdays(day) and day not in holidays

    assert expiry(Future("ES", 2026, 6), is_open) == date(2026, 6, 18)
    assert expiry(IndianFuture("NIFTY", 2026, 3), is_open) == date(2026, 3, 30)


@settings(deadline=None)
@given(st.sampled_from(sorted(ROOTS)), years, months)
def test_every_root_ends_in_or_before_its_month(root: str, year: int, month: int) -> None:
    """On a weekday, and never after the month that names the contract."""
    day = expiry(Future(root, year, month), weekdays)
    assert day is not None
    assert weekdays(day)
    assert (day.year, day.month) <= (year, month)


def test_every_root_of_nse_has_its_index() -> None:
    """What options are of can be watched itself."""
    assert [TABLE.get(index).symbol for index, _ in INDIAN.values()] == [
        "NIFTY 50",
        "NIFTY BANK",
        "NIFTY FIN SERVICE",
    ]


def test_a_contract_is_told_before_its_first_price() -> None:
    """The spine says what it is, once; a writer that starts again knows it from its state."""
    first = SpineWriter(TABLE, {})
    assert told(first.process(ticks("14:00:01 6000.25", "MESZ2026"))) == [
        "config instrument MESZ2026",
        "tick MESZ2026 14:00:01 6000.25 n0",
    ]
    second = SpineWriter(TABLE, first.changes())
    assert told(second.process(ticks("14:00:02 6000.5", "MESZ2026"))) == [
        "tick MESZ2026 14:00:02 6000.5 n1"
    ]
