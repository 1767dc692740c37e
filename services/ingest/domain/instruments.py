"""The instruments that Tideline knows, and the finding of one by its symbol."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from shared.market.instruments import Instrument

_WEEK = (1, 2, 3, 4, 5)
# Sunday evening opens the week, Friday afternoon ends it: no session starts on Friday or Saturday.
_SUNDAY_ON = (7, 1, 2, 3, 4)
_FX = {"zone": "America/New_York", "start": "17:00", "end": "17:00", "days": _SUNDAY_ON}
_METAL = {"zone": "America/New_York", "start": "18:00", "end": "17:00", "days": _SUNDAY_ON}
_CME = {"zone": "America/Chicago", "start": "17:00", "end": "16:00", "days": _SUNDAY_ON}
_NEW_YORK = {"zone": "America/New_York", "start": "09:30", "end": "16:00", "days": _WEEK}
_CBOE = {"zone": "America/Chicago", "start": "08:30", "end": "15:15", "days": _WEEK}
_XETRA = {"zone": "Europe/Berlin", "start": "09:00", "end": "17:30", "days": _WEEK}
_NSE = {"zone": "Asia/Kolkata", "start": "09:15", "end": "15:30", "days": _WEEK}

# Symbol, title, kind, session, tick size, decimals, names at yfinance, twelvedata, tradingview.
# Where a provider has none of its own, the name is empty. Yahoo has no spot gold: GC=F is the
# front future, some dollars off. Nobody trades an index itself, so DAX, NDX and DJI take the step
# of their futures (FDAX, NQ, YM): rules count distances in it, and a hundredth would be noise.
_TABLE = (
    ("DAX", "DAX", "index", _XETRA, 1.0, 2, "^GDAXI", "", "XETR:DAX"),
    ("NDX", "Nasdaq 100", "index", _NEW_YORK, 0.25, 2, "^NDX", "", "NASDAQ:NDX"),
    ("DJI", "Dow Jones Industrial", "index", _NEW_YORK, 1.0, 2, "^DJI", "", "DJCFD:DJI"),
    ("EURUSD", "Euro / US dollar", "fx", _FX, 1e-5, 5, "EURUSD=X", "EUR/USD", "OANDA:EURUSD"),
    ("EURGBP", "Euro / pound", "fx", _FX, 1e-5, 5, "EURGBP=X", "EUR/GBP", "OANDA:EURGBP"),
    ("GBPUSD", "Pound / US dollar", "fx", _FX, 1e-5, 5, "GBPUSD=X", "GBP/USD", "OANDA:GBPUSD"),
    ("XAUUSD", "Gold / US dollar", "metal", _METAL, 0.01, 2, "GC=F", "XAU/USD", "OANDA:XAUUSD"),
    ("MES", "Micro E-mini S&P 500", "future", _CME, 0.25, 2, "MES=F", "", "CME_MINI:MES1!"),
    ("VIX", "Cboe volatility index", "volatility", _CBOE, 0.01, 2, "^VIX", "", "TVC:VIX"),
    ("NIFTY 50", "Nifty 50", "index", _NSE, 0.05, 2, "^NSEI", "", "NSE:NIFTY"),
)
_PROVIDERS = ("yfinance", "twelvedata", "tradingview")
# Providers deliver a price up to so long after its time; the clock closes no candle before.
_GRACE_MS = 2_000
_NEAR_ENOUGH = 0.5
# A feed may repeat a wrong symbol a million times: look for its neighbours once.
_COMPLAINTS_KEPT = 1_000


_SIMULATED = " (simulated)"


class UnknownSymbol(Exception):
    """Nobody knows an instrument of that symbol; the message names the nearest ones."""


def built_in() -> tuple[Instrument, ...]:
    """The instruments that need no configuration."""
    return tuple(
        Instrument.model_validate(
            {
                "symbol": symbol,
                "title": title,
                "kind": kind,
                "session": session,
                "tick_size": tick_size,
                "decimals": decimals,
                "grace_ms": _GRACE_MS,
                "names": {p: name for p, name in zip(_PROVIDERS, names, strict=True) if name},
            }
        )
        for symbol, title, kind, session, tick_size, decimals, *names in _TABLE
    )


def simulated(instruments: Iterable[Instrument]) -> tuple[Instrument, ...]:
    """The same instruments in a simulated market: their titles say so, and nothing comes late."""
    return tuple(
        one.model_copy(update={"title": one.title + _SIMULATED, "grace_ms": 0})
        for one in instruments
    )


class InstrumentTable:
    """Instruments by symbol; never changed once made."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._by_symbol: Mapping[str, Instrument] = {one.symbol: one for one in instruments}
        self._complaints: dict[str, str] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol, in the table's order."""
        return tuple(self._by_symbol)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Every instrument, in the table's order."""
        return tuple(self._by_symbol.values())

    def find(self, symbol: str) -> Instrument | None:
        """The instrument, or None."""
        return self._by_symbol.get(symbol)

    def get(self, symbol: str) -> Instrument:
        """The instrument.

        Raises:
            UnknownSymbol: there is none.
        """
        found = self._by_symbol.get(symbol)
        if found is None:
            raise UnknownSymbol(self.complaint(symbol))
        return found

    def named(self, provider: str) -> dict[str, str]:
        """A provider's own names, each with our symbol; our symbols stand for themselves."""
        own = {symbol: symbol for symbol in self._by_symbol}
        theirs = {
            one.names[provider]: one.symbol
            for one in self._by_symbol.values()
            if provider in one.names
        }
        return own | theirs

    def complaint(self, symbol: str) -> str:
        """Why a symbol is not known, and what to do about it, in one line."""
        if symbol not in self._complaints:
            if len(self._complaints) >= _COMPLAINTS_KEPT:
                self._complaints.clear()
            self._complaints[symbol] = self._complain(symbol)
        return self._complaints[symbol]

    def _complain(self, symbol: str) -> str:
        aliases = {
            name: (one.symbol, provider)
            for one in self._by_symbol.values()
            for provider, name in one.names.items()
        }
        if symbol in aliases:
            ours, provider = aliases[symbol]
            return f"unknown symbol {symbol!r}: that is {provider}'s name of {ours}; use {ours}"
        near = self._near(symbol, aliases)
        known = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(self.symbols)}."
        return f"unknown symbol {symbol!r}; {known} A new one goes into the instrument file"

    def _near(self, symbol: str, aliases: Mapping[str, tuple[str, str]]) -> list[str]:
        names = {name.upper(): ours for name, (ours, _) in aliases.items()}
        names |= {ours.upper(): ours for ours in self._by_symbol}
        found = get_close_matches(symbol.upper(), names, n=5, cutoff=_NEAR_ENOUGH)
        return list(dict.fromkeys(names[name] for name in found))[:3]
