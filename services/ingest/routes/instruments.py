"""``/api/v1/instruments``: what can be watched."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from services.ingest.adapters.watchlists import Watchlists
from services.ingest.domain.lifetimes import last_day
from services.ingest.domain.sessions import SessionCalendar
from services.ingest.routes.answers import Lookup, Symbol, problems, told
from shared.clock import Clock
from shared.market.instruments import Instrument, Kind, Session

Wanted = Annotated[
    str, Query(max_length=60, description="only those with this in their symbol, title or names")
]


@dataclass(frozen=True, slots=True)
class Listed:
    """An instrument. ``is_active`` is false where an operator has switched it off."""

    symbol: str
    title: str
    kind: Kind
    session: Session
    calendar: str
    tick_size: float
    decimals: int
    grace_ms: int
    names: dict[str, str]
    is_active: bool


@dataclass(frozen=True, slots=True)
class Shown(Listed):
    """An instrument and its session: the one it is in, or the next (µs UTC); null if none comes.

    ``last_day`` is the last day on which a contract trades (ISO date).
    """

    is_open: bool
    opens_at: int | None
    ends_at: int | None
    last_day: str | None


@dataclass(frozen=True, slots=True)
class Instruments:
    """Instruments in the table's order; contracts by month are found by their symbol only."""

    instruments: list[Listed]


class Switched(BaseModel):
    """Whether a symbol may be watched at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_active: bool


class InstrumentsApi:
    """The routes."""

    def __init__(self, lookup: Lookup, watchlists: Watchlists, clock: Clock) -> None:
        self._lookup = lookup
        self._watchlists = watchlists
        self._clock = clock

    def mount(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        root, one = "/api/v1/instruments", "/api/v1/instruments/{symbol:path}"
        for path, method, route, fails in (
            (root, "GET", self.listing, (422, 503)),
            (one, "GET", self.one, (404, 422, 503)),
            (one, "PATCH", self.switch, (400, 404, 422, 503)),
        ):
            router.add_api_route(
                path, route, methods=[method], responses=problems(*fails), tags=["instruments"]
            )

    async def listing(self, kind: Kind | None = None, q: Wanted = "") -> Instruments:
        """Every instrument that is known without asking for a contract."""
        with told():
            off = await self._watchlists.switched_off()
        chosen = [
            _listed(one, off)
            for one in self._lookup.table.instruments
            if kind in (None, one.kind) and _has(one, q)
        ]
        return Instruments(chosen)

    async def one(self, symbol: Symbol) -> Shown:
        """One instrument, by any usual way to write it: MESZ6, GC=F, EUR/USD, NIFTY25NOVFUT."""
        found = self._lookup.of_path(symbol)
        with told():
            off = await self._watchlists.switched_off()
        return self._shown(found, off)

    async def switch(self, symbol: Symbol, body: Switched) -> Shown:
        """Let a symbol be watched by those who want it, or by nobody."""
        found = self._lookup.of_path(symbol)
        with told():
            await self._watchlists.switch_symbol(found.symbol, is_active=body.is_active)
            off = await self._watchlists.switched_off()
        return self._shown(found, off)

    def _shown(self, instrument: Instrument, off: set[str]) -> Shown:
        now = self._clock.now()
        calendar = SessionCalendar(instrument.session)
        span = calendar.at(now)
        coming = calendar.next(now) if span is None else span
        day = last_day(instrument)
        return Shown(
            **_fields(instrument, off),
            is_open=span is not None,
            opens_at=None if coming is None else coming.open_at,
            ends_at=None if coming is None else coming.end,
            last_day=None if day is None else day.isoformat(),
        )


def _listed(instrument: Instrument, off: set[str]) -> Listed:
    return Listed(**_fields(instrument, off))


def _fields(instrument: Instrument, off: set[str]) -> dict[str, Any]:
    return {**dict(instrument), "is_active": instrument.symbol not in off}


def _has(instrument: Instrument, text: str) -> bool:
    words = (instrument.symbol, instrument.title, *instrument.names.values())
    return any(text.upper() in word.upper() for word in words)
