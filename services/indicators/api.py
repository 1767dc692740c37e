"""The HTTP routes: indicators by symbol and timeframe. docs/api.md describes them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.indicators.adapters.answers import Answers, Chart, Values, status_of
from services.indicators.adapters.asking import (
    answer,
    field_problem,
    honest,
    listed,
    placed,
    recipes,
)
from services.indicators.adapters.checkpoints import Checkpoints
from services.indicators.adapters.desk import Desk
from services.indicators.adapters.past import Past
from services.indicators.adapters.shapes import (
    OFFSET_MAX,
    Batch,
    Catalogue,
    Frame,
    History,
    Mine,
    Question,
    Questions,
    Subscribed,
    Subscription,
    Symbol,
    Unsubscribed,
    Words,
)
from services.indicators.adapters.subscriptions import MIGRATIONS, Place, Subscriptions, TooMany
from services.indicators.domain.catalogue import CATALOGUE
from services.indicators.domain.defaults import recipes as recipes_of_all
from services.indicators.domain.naming import UnknownName, symbol_of, timeframe_of
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.stage import Recipes
from services.indicators.settings import IndicatorsSettings
from shared.bus.redis_log import RedisLog
from shared.clock import Clock
from shared.events.base import Micros
from shared.service.caller import LOCAL_USER, User
from shared.service.problems import Problem, documented
from shared.service.web import Web
from shared.store.store import Store

SERVICE = "indicators"
# How long a subscriber is kept waiting for values that mostly are there within a moment.
_LOOKS = 20
_LOOK_S = 0.1

Before = Annotated[Micros | None, Query(description="only candles that ended before this")]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Offset = Annotated[int, Query(ge=0, le=OFFSET_MAX, description="candles back; 0 is the last")]
Provisional = Annotated[bool, Query(description="of the candle that is still forming")]


class IndicatorsApi:
    """The routes under ``/indicators`` and ``/api/v1/indicators``."""

    def __init__(
        self, answers: Answers, subscriptions: Subscriptions, desk: Desk, defaults: Recipes
    ) -> None:
        self._answers = answers
        self._subscriptions = subscriptions
        self._desk = desk
        self._defaults = defaults

    def mount(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        told = documented(
            {
                400: "the body is no text",
                404: "unknown symbol, or no such candle; names the nearest",
                409: "as many subscriptions as there may be",
                422: "a field is missing, malformed or names nothing known",
                503: "the log or the tables cannot be reached",
            }
        )
        asked: dict[int | str, dict[str, Any]] = {
            202: {"model": Subscribed, "description": "in force a moment later"}
        }
        for method, name, route, model, more in (
            ("GET", "", self.catalogue, Catalogue, {}),
            ("POST", "/subscribe", self.subscribe, Subscribed, asked),
            ("POST", "/unsubscribe", self.unsubscribe, Unsubscribed, {}),
            ("GET", "/subscriptions", self.mine, Mine, {}),
            ("GET", "/current", self.current, Values, {}),
            ("GET", "/history", self.history, History, {}),
            ("GET", "/at-offset", self.at_offset, Values, {}),
            ("POST", "/batch", self.batch, Batch, {}),
        ):
            for prefix in ("/api/v1/indicators", "/indicators"):
                router.add_api_route(
                    f"{prefix}{name}",
                    route,
                    methods=[method],
                    response_model=model,
                    responses=told | more,
                    tags=["indicators"],
                    include_in_schema=prefix.startswith("/api"),
                )

    async def catalogue(self) -> Response:
        """Every indicator and level there is, with default parameters."""
        known = [{"word": word, "name": one().name} for word, one in sorted(CATALOGUE.items())]
        return answer(Catalogue(known))

    async def subscribe(self, body: Subscription, user: User = LOCAL_USER) -> Response:
        """Compute these on a symbol and timeframe from now on, warmed up by its past.

        200 once the change is in force, which takes a moment; 202 if it was not yet.
        """
        with honest():
            chart = await self._chart(body.symbol, body.timeframe, "/")
            asked = recipes(placed(body.indicators))
            place = Place(user, chart.symbol, chart.timeframe)
            names = [recipe.name for recipe in asked.values()]
            try:
                await self._subscriptions.add(place, names)
            except TooMany as error:
                raise Problem(409, str(error)) from error
            await self._desk.ask(chart.symbol)
            applied = await self._applied(chart, names)
            return answer(await self._told(chart, asked, applied=applied), 200 if applied else 202)

    async def unsubscribe(self, body: Subscription, user: User = LOCAL_USER) -> Response:
        """End a subscription; what nobody else wants is not computed any more."""
        with honest():
            chart = await self._chart(body.symbol, body.timeframe, "/")
            names = [one.name for one in recipes(placed(body.indicators)).values()]
            place = Place(user, chart.symbol, chart.timeframe)
            kept = {*await self._subscriptions.remove(place, names)}
            kept |= {one.name for one in self._defaults[chart.timeframe]} & {*names}
            await self._desk.ask(chart.symbol)
            gone = [name for name in names if name not in kept]
            return answer(Unsubscribed(chart.symbol, chart.timeframe, gone, sorted(kept)))

    async def mine(self, user: User = LOCAL_USER) -> Response:
        """The caller's own subscriptions."""
        with honest():
            rows = await self._subscriptions.of_user(user)
            names = ("symbol", "timeframe", "indicator")
            return answer(Mine([dict(zip(names, row, strict=True)) for row in rows]))

    async def current(
        self,
        symbol: Symbol,
        timeframe: Frame,
        indicators: Words,
        provisional: Provisional = False,
    ) -> Response:
        """Values after the last closed candle, or of the forming one as it stands."""
        with honest():
            chart = await self._chart(symbol, timeframe)
            asked = recipes(listed(indicators))
            if not provisional:
                return answer(await self._at(chart, asked, 0))
            found = await self._answers.provisional(chart, asked)
            if found is None:
                raise Problem(404, f"no {chart.timeframe} candle of {chart.symbol} is forming")
            return answer(found)

    async def history(
        self,
        symbol: Symbol,
        timeframe: Frame,
        indicators: Words,
        before: Before = None,
        limit: Limit = 100,
    ) -> Response:
        """Values as they were published after closed candles, newest first."""
        with honest():
            chart = await self._chart(symbol, timeframe)
            asked = recipes(listed(indicators))
            found = await self._answers.published(chart, asked, before, limit + 1)
            more = found[limit - 1].at if len(found) > limit else None
            return answer(History(chart.symbol, chart.timeframe, found[:limit], more))

    async def at_offset(
        self, symbol: Symbol, timeframe: Frame, indicators: Words, offset: Offset = 0
    ) -> Response:
        """Values after the closed candle that is so many candles back."""
        with honest():
            chart = await self._chart(symbol, timeframe)
            return answer(await self._at(chart, recipes(listed(indicators)), offset))

    async def batch(self, body: Questions) -> Response:
        """Several questions at once; each has an answer or a problem of its own."""
        with honest():
            return answer(Batch([await self._one(question) for question in body.requests]))

    async def _one(self, question: Question) -> Values | dict[str, Any]:
        try:
            chart = await self._chart(question.symbol, question.timeframe)
            asked = recipes(placed(question.indicators))
            return await self._at(chart, asked, question.offset)
        except Problem as problem:
            return {"status": problem.status, "detail": problem.detail, **problem.more}

    async def _at(self, chart: Chart, asked: Mapping[str, Recipe], offset: int) -> Values:
        if offset == 0:
            newest = await self._answers.newest(chart, asked)
            if newest is not None:
                return newest
        found = await self._answers.published(chart, asked, None, offset + 1)
        if len(found) <= offset:
            raise Problem(
                404,
                f"{chart.symbol} has {len(found)} closed {chart.timeframe} candles at hand, "
                f"none is {offset} back",
            )
        return found[offset]

    async def _chart(self, symbol: str, timeframe: str, place: str = "") -> Chart:
        try:
            frame = timeframe_of(timeframe)
        except UnknownName as error:
            raise field_problem(error, f"{place}timeframe", error.nearest) from error
        try:
            return Chart(symbol_of(symbol, await self._answers.symbols()), frame)
        except UnknownName as error:
            raise Problem(404, str(error), nearest=error.nearest) from error

    async def _applied(self, chart: Chart, names: Sequence[str]) -> bool:
        """Whether all are computed; waits a little for it."""
        for _ in range(_LOOKS):
            if await self._is_applied(chart, names):
                return True
            await asyncio.sleep(_LOOK_S)
        return await self._is_applied(chart, names)

    async def _is_applied(self, chart: Chart, names: Sequence[str]) -> bool:
        known = await self._answers.known(chart.symbol)
        everybody = {recipe.name for recipe in self._defaults[chart.timeframe]}
        return {*names} <= everybody | {*known.subscribed.get(chart.timeframe, ())}

    async def _told(
        self, chart: Chart, asked: Mapping[str, Recipe], *, applied: bool
    ) -> Subscribed:
        board = (await self._answers.known(chart.symbol)).boards.get(chart.timeframe)
        told = {
            word: {"name": recipe.name, "status": status_of(board, recipe)}
            for word, recipe in asked.items()
        }
        return Subscribed(chart.symbol, chart.timeframe, applied, told)


def build_web(settings: IndicatorsSettings, log: RedisLog, clock: Clock) -> Web:
    """The routes of indicators, over the log and the tables of the settings."""
    section = settings.indicators
    store = Store(SERVICE, settings, MIGRATIONS)
    defaults = recipes_of_all(section.every, section.extra)
    subscriptions = Subscriptions(store, clock, section.subscriptions_max)
    past = Past(log, settings.archive)
    answers = Answers(Checkpoints(log, defaults), past)
    router = APIRouter()
    IndicatorsApi(
        answers, subscriptions, Desk(past, clock, subscriptions, defaults), defaults
    ).mount(router)
    return Web(router, store.kept)
