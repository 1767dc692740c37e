"""What futures and options are made of: session, price step, expiry rule and names, by root."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.ingest.domain.contracts import Contract, Future, IndianFuture, IndianOption
from services.ingest.domain.expiry import IsOpen, Rule, last_day
from services.ingest.domain.hours import CME, EUREX, METAL, NSE, OIL
from shared.market.instruments import Instrument, Kind

_QUARTERS: Final = (3, 6, 9, 12)
_EVERY: Final = tuple(range(1, 13))
# Prices up to so long after their time are still taken; the clock closes no candle before.
GRACE_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Root:
    """One family of futures. ``yahoo`` is the ending of Yahoo's contract names, ``tradingview``
    and ``ibkr`` the exchange there; ``ibkr_symbol`` is IBKR's own root where it differs."""

    symbol: str
    title: str
    hours: dict[str, Any]
    tick_size: float
    decimals: int
    months: tuple[int, ...]
    rule: Rule
    yahoo: str
    tradingview: str
    ibkr: str
    ibkr_symbol: str = ""
    calendar: str = "CME_Equity"

    def front(self) -> Instrument:
        """The contract that is traded most, whichever it is: the root's own symbol."""
        names = {
            "yfinance": f"{self.symbol}=F" if self.yahoo else "",
            "tradingview": f"{self.tradingview}:{self.symbol}1!",
            "ibkr": f"CONTFUT:{self.ibkr_symbol or self.symbol}:{self.ibkr}",
        }
        return self._made(self.symbol, self.title, names)

    def month(self, future: Future) -> Instrument:
        """One month's contract."""
        short = f"{self.symbol}{future.letter}{future.year % 100:02}"
        ibkr = f"FUT:{self.ibkr_symbol or self.symbol}:{self.ibkr}:{future.year}{future.month:02}"
        names = {
            "yfinance": f"{short}.{self.yahoo}" if self.yahoo else "",
            "tradingview": f"{self.tradingview}:{future.symbol}",
            "ibkr": ibkr,
        }
        title = f"{self.title}, {date(future.year, future.month, 1):%B %Y}"
        return self._made(future.symbol, title, names)

    def _made(self, symbol: str, title: str, names: dict[str, str]) -> Instrument:
        return Instrument.model_validate(
            {
                "symbol": symbol,
                "title": title,
                "kind": "future",
                "session": self.hours,
                "calendar": self.calendar,
                "tick_size": self.tick_size,
                "decimals": self.decimals,
                "grace_ms": GRACE_MS,
                "names": {provider: name for provider, name in names.items() if name},
            }
        )


_CME = "CME:USD"
ROOTS: Final = {
    one.symbol: one
    for one in (
        Root("ES", "E-mini S&P 500", CME, 0.25, 2, _QUARTERS, "third_friday", "CME", "CME_MINI",
             _CME),
        Root("MES", "Micro E-mini S&P 500", CME, 0.25, 2, _QUARTERS, "third_friday", "CME",
             "CME_MINI", _CME),
        Root("NQ", "E-mini Nasdaq-100", CME, 0.25, 2, _QUARTERS, "third_friday", "CME",
             "CME_MINI", _CME),
        Root("MNQ", "Micro E-mini Nasdaq-100", CME, 0.25, 2, _QUARTERS, "third_friday", "CME",
             "CME_MINI", _CME),
        Root("YM", "E-mini Dow", CME, 1.0, 0, _QUARTERS, "third_friday", "CBT", "CBOT_MINI",
             "CBOT:USD"),
        Root("MYM", "Micro E-mini Dow", CME, 1.0, 0, _QUARTERS, "third_friday", "CBT",
             "CBOT_MINI", "CBOT:USD"),
        Root("RTY", "E-mini Russell 2000", CME, 0.1, 1, _QUARTERS, "third_friday", "CME",
             "CME_MINI", _CME),
        Root("M2K", "Micro E-mini Russell 2000", CME, 0.1, 1, _QUARTERS, "third_friday", "CME",
             "CME_MINI", _CME),
        Root("6E", "Euro FX", CME, 0.00005, 5, _QUARTERS, "before_third_wednesday", "CME", "CME",
             _CME, "EUR", "CME_FX"),
        Root("GC", "Gold", METAL, 0.1, 1, _EVERY, "third_last_business_day", "CMX", "COMEX",
             "COMEX:USD", calendar="CMEGlobex_GC"),
        Root("MGC", "Micro gold", METAL, 0.1, 1, _EVERY, "third_last_business_day", "CMX",
             "COMEX", "COMEX:USD", calendar="CMEGlobex_GC"),
        Root("SI", "Silver", METAL, 0.005, 3, _EVERY, "third_last_business_day", "CMX", "COMEX",
             "COMEX:USD", calendar="CMEGlobex_SI"),
        Root("CL", "WTI crude oil", OIL, 0.01, 2, _EVERY, "crude", "NYM", "NYMEX", "NYMEX:USD",
             calendar="CMEGlobex_CL"),
        Root("FDAX", "DAX future", EUREX, 1.0, 0, _QUARTERS, "third_friday", "", "EUREX",
             "EUREX:EUR", "DAX", "EUREX"),
    )
}  # fmt: skip

# Roots of NSE's index derivatives, each with the index that they are of, and its name at IBKR.
# Any other root may be a share's: nothing is known of it until the instrument file says so.
INDIAN: Final = {
    "NIFTY": ("NIFTY 50", "NIFTY50"),
    "BANKNIFTY": ("NIFTY BANK", "BANKNIFTY"),
    "FINNIFTY": ("NIFTY FIN SERVICE", "FINNIFTY"),
}
_INDIAN_TICK = 0.05


def derived(contract: Contract) -> Instrument | None:
    """The instrument that a contract is; None where nobody knows its root or its month."""
    match contract:
        case Future():
            root = ROOTS.get(contract.root)
            known = root is not None and contract.month in root.months
            return root.month(contract) if root is not None and known else None
        case IndianFuture():
            return _indian_future(contract)
        case IndianOption():
            return _indian_option(contract)


def expiry(contract: Contract, is_open: IsOpen) -> date | None:
    """The last day on which a contract trades; None where nobody knows its root."""
    match contract:
        case Future():
            root = ROOTS.get(contract.root)
            if root is None:
                return None
            return last_day(root.rule, contract.year, contract.month, is_open)
        case IndianOption() if contract.day is not None:
            return date(contract.year, contract.month, contract.day)
        case _ if contract.root in INDIAN:
            return last_day("nse", contract.year, contract.month, is_open)
        case _:
            return None


def underlying(contract: Contract) -> str | None:
    """The symbol whose session and holidays a contract shares; None where nobody knows its root."""
    if isinstance(contract, Future):
        return contract.root if contract.root in ROOTS else None
    return INDIAN[contract.root][0] if contract.root in INDIAN else None


def _indian_future(contract: IndianFuture) -> Instrument | None:
    if contract.root not in INDIAN:
        return None
    month = date(contract.year, contract.month, 1)
    letter = Future("", contract.year, contract.month).letter
    names = {
        "tradingview": f"NSE:{contract.root}{letter}{contract.year}",
        "ibkr": f"FUT:{INDIAN[contract.root][1]}:NSE:INR:{month:%Y%m}",
    }
    return _indian(contract, "future", f"{contract.root} future, {month:%B %Y}", names)


def _indian_option(contract: IndianOption) -> Instrument | None:
    day = expiry(contract, lambda one: one.weekday() < 5)
    if day is None or contract.root not in INDIAN:
        return None
    letter = contract.right[0]
    names = {
        "tradingview": f"NSE:{contract.root}{day:%y%m%d}{letter}{contract.strike:f}",
        "ibkr": f"OPT:{INDIAN[contract.root][1]}:NSE:INR:{day:%Y%m%d}:{contract.strike:f}:{letter}",
    }
    what = "call" if contract.right == "CE" else "put"
    title = f"{contract.root} {contract.strike:f} {what}, {day.isoformat()}"
    return _indian(contract, "option", title, names)


def _indian(
    contract: IndianFuture | IndianOption, kind: Kind, title: str, names: dict[str, str]
) -> Instrument:
    return Instrument.model_validate(
        {
            "symbol": contract.symbol,
            "title": title,
            "kind": kind,
            "session": NSE,
            "calendar": "NSE",
            "tick_size": _INDIAN_TICK,
            "decimals": 2,
            "grace_ms": GRACE_MS,
            "names": names,
        }
    )
