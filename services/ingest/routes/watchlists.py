"""``/api/v1/watchlists``: each user's lists; ``/api/v1/watched``: what follows from all of them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.adapters.watchlists import Watchlists
from services.ingest.domain.watching import (
    LIST_NAME_MAX,
    Budget,
    LeftOut,
    Problem,
    plan,
    plan_blindly,
)
from services.ingest.domain.watchlists import ENTRIES_MAX, Entry, Watchlist
from services.ingest.routes.answers import (
    NAME_PATTERN,
    ListName,
    Lookup,
    Symbol,
    problems,
    told,
)
from shared.clock import Clock
from shared.service.caller import LOCAL_USER, User
from shared.store.errors import StoreError

Name = Annotated[str, Field(min_length=1, max_length=LIST_NAME_MAX, pattern=NAME_PATTERN)]
Text = Annotated[str, Field(min_length=1, max_length=40)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewList(_Body):
    """A list to be made, with the symbols on it, all active."""

    name: Name
    symbols: Annotated[list[Text], Field(max_length=ENTRIES_MAX)] = []


class Renamed(_Body):
    """A list's new name."""

    name: Name


class NewEntry(_Body):
    """A symbol to be put on a list."""

    symbol: Text
    is_active: bool = True


class Switched(_Body):
    """An entry switched on or off; an inactive one stays on the list and is not watched."""

    is_active: bool


@dataclass(frozen=True, slots=True)
class Lists:
    """A user's lists by name."""

    watchlists: list[Watchlist]


@dataclass(frozen=True, slots=True)
class WatchedSymbol:
    """A watched symbol and how many users watch it; 0 for those of the default set."""

    symbol: str
    watchers: int


@dataclass(frozen=True, slots=True)
class WatchedSymbols:
    """What is watched, most watched first, and what is left out and why.

    ``fallback`` says why the default set is watched; null if it is not. ``symbols_max`` is how
    many there may be.
    """

    at: int
    symbols_max: int
    watched: list[WatchedSymbol]
    left_out: list[LeftOut]
    fallback: str | None


class WatchlistsApi:
    """The routes of a user's lists."""

    def __init__(self, watchlists: Watchlists, lookup: Lookup) -> None:
        self._watchlists = watchlists
        self._lookup = lookup

    def mount(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        root, one = "/api/v1/watchlists", "/api/v1/watchlists/{name}"
        entries, entry = f"{one}/entries", f"{one}/entries/{{symbol:path}}"
        for path, method, route, status, fails in (
            (root, "GET", self.lists, 200, (422, 503)),
            (root, "POST", self.create, 201, (400, 409, 422, 503)),
            (one, "GET", self.get, 200, (404, 422, 503)),
            (one, "PATCH", self.rename, 200, (400, 404, 409, 422, 503)),
            (one, "DELETE", self.remove, 204, (404, 422, 503)),
            (entries, "POST", self.put, 201, (400, 404, 409, 422, 503)),
            (entry, "PATCH", self.switch, 200, (400, 404, 422, 503)),
            (entry, "DELETE", self.drop, 204, (404, 422, 503)),
        ):
            router.add_api_route(
                path,
                route,
                methods=[method],
                status_code=status,
                responses=problems(*fails),
                tags=["watchlists"],
            )

    async def lists(self, user: User = LOCAL_USER) -> Lists:
        """All lists of the user."""
        with told():
            return Lists(await self._watchlists.lists(user))

    async def create(self, body: NewList, response: Response, user: User = LOCAL_USER) -> Watchlist:
        """Make a list."""
        symbols = [
            self._lookup.of_body(text, f"/symbols/{number}").symbol
            for number, text in enumerate(body.symbols)
        ]
        with told(body.name):
            made = await self._watchlists.create(user, body.name, symbols)
        response.headers["Location"] = f"/api/v1/watchlists/{body.name.replace(' ', '%20')}"
        return made

    async def get(self, name: ListName, user: User = LOCAL_USER) -> Watchlist:
        """One list."""
        with told(name):
            return await self._watchlists.get(user, name)

    async def rename(self, name: ListName, body: Renamed, user: User = LOCAL_USER) -> Watchlist:
        """Give a list another name."""
        with told(name):
            return await self._watchlists.rename(user, name, body.name)

    async def remove(self, name: ListName, user: User = LOCAL_USER) -> None:
        """Take a list away with all its entries."""
        with told(name):
            await self._watchlists.remove(user, name)

    async def put(
        self, name: ListName, body: NewEntry, response: Response, user: User = LOCAL_USER
    ) -> Watchlist:
        """Put a symbol on a list: 201 if it was not there, else 200."""
        symbol = self._lookup.of_body(body.symbol, "/symbol").symbol
        with told(name):
            if not await self._watchlists.put(user, name, symbol, is_active=body.is_active):
                response.status_code = 200
            return await self._watchlists.get(user, name)

    async def switch(
        self, name: ListName, symbol: Symbol, body: Switched, user: User = LOCAL_USER
    ) -> Entry:
        """Switch an entry on or off."""
        with told(name):
            return await self._watchlists.switch(
                user, name, self._meant(symbol), is_active=body.is_active
            )

    async def drop(self, name: ListName, symbol: Symbol, user: User = LOCAL_USER) -> None:
        """Take a symbol off a list."""
        with told(name):
            await self._watchlists.drop(user, name, self._meant(symbol))

    def _meant(self, text: str) -> str:
        """The symbol; as it is where nobody knows it any more, so that it can be taken off."""
        found = self._lookup.find(text)
        return text if found is None else found.symbol


def watched_router(
    watchlists: Watchlists, budget: Budget, problem: Problem, clock: Clock
) -> APIRouter:
    """What is watched; worked out of the tables, whichever process the feeds run in."""
    router = APIRouter(tags=["watchlists"])

    async def watched() -> WatchedSymbols:
        """Which symbols are watched, by how many users, and which are left out."""
        try:
            found = plan(await watchlists.counts(), budget, problem)
        except StoreError as error:
            found = plan_blindly(None, budget, problem, str(error))
        return WatchedSymbols(
            clock.now(),
            budget.symbols_max,
            [WatchedSymbol(*pair) for pair in found.watchers.items()],
            list(found.left_out),
            found.fallback,
        )

    router.add_api_route("/api/v1/watched", watched)
    return router
