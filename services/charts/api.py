"""The HTTP routes: what the book knows, one question a route. docs/charts.md describes them."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.charts.adapters.hub import Hub
from services.charts.adapters.site import Site
from services.charts.adapters.sockets import MarketSocket
from services.charts.domain.nearest import nearest, unknown_symbol
from services.charts.domain.shapes import (
    ShownAlert,
    ShownCandle,
    ShownLevel,
    ShownSignal,
    ShownSymbol,
    ShownZone,
)
from shared.events.base import Micros
from shared.market.timeframes import Timeframe
from shared.service.encoding import encoded
from shared.service.problems import Problem, documented
from shared.service.web import Web

Symbol = Annotated[str, Query(min_length=1, max_length=40, description="for example EURUSD")]
MaybeSymbol = Annotated[str | None, Query(min_length=1, max_length=40)]
Before = Annotated[Micros | None, Query(description="only candles that opened before this")]
CandleLimit = Annotated[int, Query(ge=1, le=5_000)]
Limit = Annotated[int, Query(ge=1, le=500)]


@dataclass(frozen=True, slots=True)
class CandlePage:
    """Closed candles in order. ``next_before`` asks for the page before it; null at the beginning
    of what is kept."""

    symbol: str
    timeframe: Timeframe
    source: str
    candles: list[ShownCandle]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Symbols:
    """Every symbol that has candles."""

    symbols: list[ShownSymbol]


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels and zones in force on a chart; levels by falling price, the day's included."""

    symbol: str
    timeframe: Timeframe
    levels: list[ShownLevel]
    zones: list[ShownZone]


@dataclass(frozen=True, slots=True)
class Markers:
    """Recent signals as a chart marks them, newest first."""

    signals: list[ShownSignal]


@dataclass(frozen=True, slots=True)
class Alerts:
    """Recent alerts, newest first; one for each channel."""

    alerts: list[ShownAlert]


class MarketApi:
    """The routes under ``/api/v1``."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._book = hub.book

    def mount(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        told = documented(
            {
                404: "unknown symbol; names the nearest",
                422: "a parameter is missing or malformed",
                503: "history is still being read",
            }
        )
        for name, route, model in (
            ("candles", self.candles, CandlePage),
            ("symbols", self.symbols, Symbols),
            ("levels", self.levels, Levels),
            ("markers", self.markers, Markers),
            ("alerts", self.alerts, Alerts),
        ):
            path = f"/api/v1/{name}"
            router.add_api_route(path, route, response_model=model, responses=told, tags=["market"])

    async def candles(
        self,
        request: Request,
        symbol: Symbol,
        timeframe: Timeframe,
        before: Before = None,
        limit: CandleLimit = 500,
    ) -> Response:
        """Closed candles of a symbol and timeframe, newest page first."""
        self._check(symbol)
        found = self._book.candles((symbol, timeframe), before, limit + 1)
        page = found[-limit:]
        more = page[0].open_at if len(found) > limit else None
        source = self._book.source(symbol)
        return _answer(request, CandlePage(symbol, timeframe, source, page, more))

    async def symbols(self, request: Request) -> Response:
        """Every symbol that has candles, with its newest price."""
        self._check(None)
        return _answer(request, Symbols([self._book.summary(one) for one in self._book.symbols()]))

    async def levels(self, request: Request, symbol: Symbol, timeframe: Timeframe) -> Response:
        """Levels and zones in force on a chart."""
        self._check(symbol)
        key = (symbol, timeframe)
        found = Levels(symbol, timeframe, self._book.levels(key), self._book.zones(key))
        return _answer(request, found)

    async def markers(
        self,
        request: Request,
        symbol: Symbol,
        timeframe: Timeframe | None = None,
        limit: Limit = 100,
    ) -> Response:
        """Recent signals of a symbol; with a timeframe, those at levels of its chart."""
        self._check(symbol)
        return _answer(request, Markers(self._book.signals(symbol, timeframe, limit)))

    async def alerts(
        self, request: Request, symbol: MaybeSymbol = None, limit: Limit = 100
    ) -> Response:
        """Recent alerts, of one symbol or of all."""
        self._check(symbol)
        return _answer(request, Alerts(self._book.alerts(symbol, limit)))

    def _check(self, symbol: str | None) -> None:
        if not self._hub.ready:
            raise Problem(503, "history is still being read; try again soon")
        if symbol is not None and not self._book.knows(symbol):
            known = self._book.symbols()
            raise Problem(404, unknown_symbol(symbol, known), nearest=nearest(symbol, known))


def build_web(hub: Hub, site: Site, ping_s: float) -> Web:
    """The page, the market's routes, the WebSocket and its status."""
    router = APIRouter()
    MarketApi(hub).mount(router)
    socket = MarketSocket(hub, ping_s)
    router.add_api_websocket_route("/ws/market/{symbol:path}/{timeframe}", socket.serve)

    async def status(request: Request) -> Response:
        """Charts that somebody looks at now."""
        return _answer(request, hub.status())

    router.add_api_route("/ws/status", status, tags=["operations"], response_model=None)
    return Web(router, mount=site.mount)


def _answer(request: Request, content: Any) -> Response:
    """JSON with an ETag of its content; 304 where the caller has it already."""
    body = encoded(content)
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
