"""Instruments from the user's own file."""

import pytest

from services.ingest.domain.instrument_file import BadInstrument, with_file
from services.ingest.domain.instruments import InstrumentTable, built_in
from shared.market.instruments import Instrument

TABLE = InstrumentTable(built_in())
SPY = """
[SPY]
title = "S&P 500 fund"
kind = "equity"
tick_size = 0.01
decimals = 2
session = { zone = "America/New_York", start = "09:30", end = "16:00", days = [1, 2, 3, 4, 5] }
names = { yfinance = "SPY" }
"""


def read(text: str) -> InstrumentTable:
    return with_file(TABLE, text, "my.toml")


def complaint(text: str) -> str:
    with pytest.raises(BadInstrument, match=r"^my\.toml") as caught:
        read(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_new_instrument_joins_the_table() -> None:
    """A table with every key adds an instrument; the built-in ones stay."""
    table = read(SPY)
    assert table.symbols == (*TABLE.symbols, "SPY")
    assert table.get("SPY").tick_size == 0.01


def test_a_known_instrument_is_changed_key_by_key() -> None:
    """Only the keys given change, inside the session and the names too."""
    table = read(
        """
        [DAX]
        grace_ms = 500
        session = { end = "17:45" }
        names = { file = "DEUIDXEUR" }
        """
    )
    before, after = TABLE.get("DAX"), table.get("DAX")
    assert after.session.end == "17:45"
    assert after.names == {**before.names, "file": "DEUIDXEUR"}
    changed = {
        name for name in Instrument.model_fields if getattr(before, name) != getattr(after, name)
    }
    assert changed == {"grace_ms", "session", "names"}


def test_holidays_and_half_days_can_be_given() -> None:
    """Exceptions are dates with other hours, or none."""
    table = read(
        """
        [NDX.session.exceptions]
        2026-11-26 = "closed"
        2026-11-27 = "09:30-13:00"
        """
    )
    assert table.get("NDX").session.exceptions["2026-11-27"] == "09:30-13:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[DAX", "my.toml is no TOML"),
        ("DAX = 1", "[DAX] must be a table of keys"),
        ("[DAX]\ntick_sise = 1", "[DAX] unknown key tick_sise; did you mean tick_size?"),
        ("[DAX.session]\nzon = 'UTC'", "[DAX] unknown key session.zon; did you mean zone?"),
        ("[DAX]\ntick_size = 0", "[DAX] tick_size = 0: Input should be greater than 0"),
        ("[DAX]\nkind = 'share'", "[DAX] kind = 'share': Input should be 'index', 'fx'"),
        ("[SPY]\ntitle = 'x'", "[SPY] needs the key kind (it is not a known symbol"),
        (
            "[DAX.session]\nzone = 'Europe/Berln'",
            "[DAX] session: 'Europe/Berln' is no time zone; did you mean Europe/Berlin?",
        ),
        ("[DAX.session]\nend = '24:30'", "[DAX] session: '24:30' is no time of day"),
        ("[DAX.session]\nend = '5pm'", "[DAX] session.end = '5pm'"),
        ("[DAX.session]\ndays = [0]", "[DAX] session.days.0 = 0"),
        ("[DAX.session.exceptions]\n2026-02-30 = 'closed'", "session: '2026-02-30' is no date"),
        ("['A:B']\ntitle = 'x'", '["A:B"] is no symbol'),
    ],
)
def test_a_mistake_is_one_line_with_file_symbol_and_mend(text: str, expected: str) -> None:
    """Whatever is wrong in the file, one line says where and how to mend it."""
    assert expected in complaint(text)
