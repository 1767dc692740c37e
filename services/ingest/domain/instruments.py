"""The instruments that Tideline knows, and the finding of one by its symbol."""

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches

from services.ingest.domain import hours
from services.ingest.domain.contracts import contract
from services.ingest.domain.roots import GRACE_MS, ROOTS, derived, underlying
from shared.market.instruments import Instrument

# Symbol, title, kind, session, calendar, tick size, decimals, and the names at each provider; empty
# where it has none. Nobody trades an index itself, so DAX, NDX and DJI take the step of their
# futures (FDAX, NQ, YM): rules count distances in it, and a hundredth would be noise. Yahoo has no
# spot gold: GC=F is the front future, some dollars off, and an instrument of its own.
_TABLE = (
    ("DAX", "DAX", "index", hours.XETRA, "XETR", 1.0, 2,
     "^GDAXI", "", "IND:DAX:EUREX:EUR", "XETR:DAX"),
    ("NDX", "Nasdaq 100", "index", hours.NEW_YORK, "NYSE", 0.25, 2,
     "^NDX", "", "IND:NDX:NASDAQ:USD", "NASDAQ:NDX"),
    ("DJI", "Dow Jones Industrial", "index", hours.NEW_YORK, "NYSE", 1.0, 2,
     "^DJI", "", "IND:INDU:CME:USD", "DJCFD:DJI"),
    ("EURUSD", "Euro / US dollar", "fx", hours.FX, "", 1e-5, 5,
     "EURUSD=X", "EUR/USD", "CASH:EUR:IDEALPRO:USD", "OANDA:EURUSD"),
    ("EURGBP", "Euro / pound", "fx", hours.FX, "", 1e-5, 5,
     "EURGBP=X", "EUR/GBP", "CASH:EUR:IDEALPRO:GBP", "OANDA:EURGBP"),
    ("GBPUSD", "Pound / US dollar", "fx", hours.FX, "", 1e-5, 5,
     "GBPUSD=X", "GBP/USD", "CASH:GBP:IDEALPRO:USD", "OANDA:GBPUSD"),
    ("XAUUSD", "Gold / US dollar", "metal", hours.METAL, "", 0.01, 2,
     "", "XAU/USD", "CMDTY:XAUUSD:SMART:USD", "OANDA:XAUUSD"),
    ("VIX", "Cboe volatility index", "volatility", hours.CBOE, "CBOE_Index_Options", 0.01, 2,
     "^VIX", "", "IND:VIX:CBOE:USD", "TVC:VIX"),
    ("NIFTY 50", "Nifty 50", "index", hours.NSE, "NSE", 0.05, 2,
     "^NSEI", "", "IND:NIFTY50:NSE:INR", "NSE:NIFTY"),
    ("NIFTY BANK", "Nifty Bank", "index", hours.NSE, "NSE", 0.05, 2,
     "^NSEBANK", "", "IND:BANKNIFTY:NSE:INR", "NSE:BANKNIFTY"),
    ("NIFTY FIN SERVICE", "Nifty Financial Services", "index", hours.NSE, "NSE", 0.05, 2,
     "NIFTY_FIN_SERVICE.NS", "", "IND:FINNIFTY:NSE:INR", "NSE:CNXFINANCE"),
    ("BTCUSD", "Bitcoin / US dollar", "crypto", hours.CRYPTO, "", 0.01, 2,
     "BTC-USD", "BTC/USD", "CRYPTO:BTC:PAXOS:USD", "COINBASE:BTCUSD"),
    ("ETHUSD", "Ether / US dollar", "crypto", hours.CRYPTO, "", 0.01, 2,
     "ETH-USD", "ETH/USD", "CRYPTO:ETH:PAXOS:USD", "COINBASE:ETHUSD"),
)  # fmt: skip
_PROVIDERS = ("yfinance", "twelvedata", "ibkr", "tradingview")
_NEAR_ENOUGH = 0.5
# A feed may repeat a wrong symbol a million times: look for its neighbours once.
_COMPLAINTS_KEPT = 1_000
_CONTRACTS_KEPT = 10_000
# Our own contracts have their whole year: which one it is now does not matter.
_ANY_DAY = date(2000, 1, 1)


_SIMULATED = " (simulated)"


class UnknownSymbol(Exception):
    """Nobody knows an instrument of that symbol; the message names the nearest ones."""


def built_in() -> tuple[Instrument, ...]:
    """The instruments that need no configuration."""
    rows = [
        Instrument.model_validate(
            {
                "symbol": symbol,
                "title": title,
                "kind": kind,
                "session": session,
                "calendar": calendar,
                "tick_size": tick_size,
                "decimals": decimals,
                "grace_ms": GRACE_MS,
                "names": {p: name for p, name in zip(_PROVIDERS, names, strict=True) if name},
            }
        )
        for symbol, title, kind, session, calendar, tick_size, decimals, *names in _TABLE
    ]
    return (*rows, *(root.front() for root in ROOTS.values()))


def simulated(instruments: Iterable[Instrument]) -> tuple[Instrument, ...]:
    """The same instruments in a simulated market: their titles say so, and nothing comes late."""
    return tuple(
        one.model_copy(update={"title": one.title + _SIMULATED, "grace_ms": 0})
        for one in instruments
    )


class InstrumentTable:
    """Instruments by symbol; never changed once made.

    Futures and options by contract are not listed: whoever asks for one that could be gets it,
    with the session of its root or its underlying, as the table has that.
    """

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._by_symbol: Mapping[str, Instrument] = {one.symbol: one for one in instruments}
        self._spellings = self._spelled()
        self._contracts: dict[str, Instrument | None] = {}
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
        found = self._by_symbol.get(symbol)
        return self._contract(symbol) if found is None else found

    def resolve(self, text: str, today: date) -> Instrument:
        """The instrument that people mean: by its symbol, a provider's name of it, in whatever
        case and spacing, or as a contract written in a usual way.

        Raises:
            UnknownSymbol: there is none.
        """
        if (found := self.find(text)) is not None:
            return found
        meant = self._spellings.get(_spelling(text))
        if meant is not None:
            return self._by_symbol[meant]
        written = contract(text.upper(), today)
        if written is not None and (found := self.find(written.symbol)) is not None:
            return found
        raise UnknownSymbol(self.complaint(text))

    def get(self, symbol: str) -> Instrument:
        """The instrument.

        Raises:
            UnknownSymbol: there is none.
        """
        found = self.find(symbol)
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

    def _contract(self, symbol: str) -> Instrument | None:
        if symbol not in self._contracts:
            if len(self._contracts) >= _CONTRACTS_KEPT:
                self._contracts.clear()
            self._contracts[symbol] = self._derived(symbol)
        return self._contracts[symbol]

    def _derived(self, symbol: str) -> Instrument | None:
        written = contract(symbol, _ANY_DAY)
        if written is None or written.symbol != symbol:
            return None
        made, of = derived(written), underlying(written)
        base = None if of is None else self._by_symbol.get(of)
        if made is None or base is None:
            return made
        kept = {name: getattr(base, name) for name in ("session", "calendar", "grace_ms")}
        return made.model_copy(update=kept)

    def complaint(self, symbol: str) -> str:
        """Why a symbol is not known, and what to do about it, in one line."""
        if symbol not in self._complaints:
            if len(self._complaints) >= _COMPLAINTS_KEPT:
                self._complaints.clear()
            self._complaints[symbol] = self._complain(symbol)
        return self._complaints[symbol]

    def _spelled(self) -> dict[str, str]:
        names = {
            _spelling(name): one.symbol
            for one in self._by_symbol.values()
            for name in one.names.values()
        }
        return names | {_spelling(symbol): symbol for symbol in self._by_symbol}

    def _complain(self, symbol: str) -> str:
        aliases = self._aliases()
        if symbol in aliases:
            ours, provider = aliases[symbol]
            return f"unknown symbol {symbol!r}: that is {provider}'s name of {ours}; use {ours}"
        near = self._near(symbol, aliases)
        known = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(self.symbols)}."
        return f"unknown symbol {symbol!r}; {known} A new one goes into the instrument file"

    def _aliases(self) -> dict[str, tuple[str, str]]:
        return {
            name: (one.symbol, provider)
            for one in self._by_symbol.values()
            for provider, name in one.names.items()
        }

    def nearest(self, symbol: str) -> list[str]:
        """The symbols that come nearest to one that is not known, at most three."""
        return self._near(symbol, self._aliases())

    def _near(self, symbol: str, aliases: Mapping[str, tuple[str, str]]) -> list[str]:
        names = {name.upper(): ours for name, (ours, _) in aliases.items()}
        names |= {ours.upper(): ours for ours in self._by_symbol}
        found = get_close_matches(symbol.upper(), names, n=5, cutoff=_NEAR_ENOUGH)
        return list(dict.fromkeys(names[name] for name in found))[:3]


def _spelling(text: str) -> str:
    return text.upper().replace(" ", "").replace("/", "")
