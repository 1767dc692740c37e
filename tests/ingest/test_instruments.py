"""The instrument table, and the finding of a symbol."""

import pytest

from services.ingest.domain.instruments import InstrumentTable, UnknownSymbol, built_in
from services.ingest.domain.sessions import SessionCalendar
from shared.events import Config

TABLE = InstrumentTable(built_in())


def test_the_instruments_that_people_watch_are_there() -> None:
    """Indices, currencies, gold, futures, volatility and crypto need no setting."""
    spot = "DAX NDX DJI EURUSD EURGBP GBPUSD XAUUSD VIX NIFTY-50 NIFTY-BANK NIFTY-FIN-SERVICE"
    futures = "ES MES NQ MNQ YM MYM RTY M2K 6E GC MGC SI CL FDAX"
    expected = [one.replace("-", " ") for one in f"{spot} BTCUSD ETHUSD {futures}".split()]
    assert list(TABLE.symbols) == expected


@pytest.mark.parametrize(
    ("symbol", "provider", "name"),
    [
        ("DAX", "yfinance", "^GDAXI"),
        ("NDX", "tradingview", "NASDAQ:NDX"),
        ("DJI", "tradingview", "DJCFD:DJI"),
        ("EURUSD", "yfinance", "EURUSD=X"),
        ("EURGBP", "twelvedata", "EUR/GBP"),
        ("EURGBP", "tradingview", "OANDA:EURGBP"),
    ],
)
def test_names_at_providers_are_those_people_use(symbol: str, provider: str, name: str) -> None:
    """Each provider is asked for an instrument by the provider's own name."""
    assert TABLE.get(symbol).names[provider] == name
    assert TABLE.named(provider)[name] == symbol


def test_every_instrument_has_a_calendar_and_fits_on_the_spine() -> None:
    """Zones and hours of the table are real, and each instrument survives its config entry."""
    for instrument in TABLE.instruments:
        SessionCalendar(instrument.session)
        config = Config(
            symbol=instrument.symbol,
            at=0,
            pos=1,
            kind="instrument",
            name=instrument.symbol,
            version="v",
            body=instrument.model_dump(mode="json"),
        )
        again = type(instrument).model_validate(config.body)
        assert again == instrument


def test_an_unknown_symbol_names_the_nearest() -> None:
    """Who mistypes a symbol is told which ones come near, in one line."""
    with pytest.raises(UnknownSymbol, match=r"^unknown symbol 'EURUSDX'; did you mean EURUSD") as e:
        TABLE.get("EURUSDX")
    assert "\n" not in str(e.value)


def test_nothing_near_lists_what_is_known() -> None:
    """Where no symbol comes near, all of them are named."""
    with pytest.raises(UnknownSymbol, match=r"unknown symbol 'QQQQ'; known: DAX, NDX, .*NIFTY 50"):
        TABLE.get("QQQQ")


def test_a_providers_name_leads_to_ours() -> None:
    """Who gives a provider's name is told ours."""
    with pytest.raises(UnknownSymbol, match=r"that is yfinance's name of DAX; use DAX"):
        TABLE.get("^GDAXI")


def test_case_and_spacing_are_forgiven_in_the_hint() -> None:
    """A symbol in the wrong case or without its space is still recognised."""
    with pytest.raises(UnknownSymbol, match="did you mean NIFTY 50"):
        TABLE.get("nifty50")
