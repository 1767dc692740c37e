"""``/api/v1/signals``: what rules found, what people made of it, and how much of it there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.signals.adapters.signal_store import Count, Kept, Long, SignalStore, Status, Wanted
from services.signals.routes.answers import answer, problems, told
from shared.bus.redis_reads import RedisReads
from shared.events.base import Micros
from shared.service.caller import LOCAL_USER, User
from shared.service.problems import Problem

Word = Annotated[str | None, Field(min_length=1, max_length=40)]
Time = Annotated[Micros | None, Query()]
SignalId = Annotated[str, Path(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True)
class ShownSignal:
    """A signal: the event's own fields, and its status in the words people use."""

    id: str
    config: str
    rule: str
    rule_version: str
    symbol: str
    signal_time: int
    direction: Long
    action: str
    price: float
    timeframe: str
    level: str
    level_price: float
    gap: bool
    reason: str
    operands: dict[str, float]
    expires_at: int | None
    cause: str
    status: Status
    status_at: int | None
    status_by: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Signals, newest first; ``next_cursor`` asks for the page after, null at the end."""

    signals: list[ShownSignal]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of signals. ``today`` are each symbol's counts of its present session by rule set:
    told, and suppressed by the daily cap."""

    total: int
    by_day: dict[str, int]
    by_rule: dict[str, int]
    by_symbol: dict[str, int]
    by_status: dict[str, int]
    counts: list[Count]
    today: dict[str, dict[str, dict[str, int]]]


class Filters(BaseModel):
    """Which signals, and how many of them."""

    model_config = ConfigDict(extra="forbid")

    symbol: Word = None
    config: Word = None
    rule: Word = None
    status: Status | None = None
    direction: Long | None = None
    since: Micros | None = None
    until: Micros | None = None
    cursor: Annotated[str | None, Field(max_length=600)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100

    def wanted(self) -> Wanted:
        """As the store takes them.

        Raises:
            Problem: the cursor is none of ours.
        """
        words = self.model_dump(exclude={"cursor", "limit"})
        return Wanted(**words, after=_place(self.cursor))


class Judged(BaseModel):
    """What became of a signal."""

    model_config = ConfigDict(extra="forbid")

    status: Status


class SignalsApi:
    """The routes of generated signals."""

    def __init__(self, store: SignalStore, reads: RedisReads) -> None:
        self._store = store
        self._reads = reads

    def mount(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        one = "/api/v1/signals/{signal_id}"
        for method, path, route, model, wrong in (
            ("GET", "/api/v1/signals", self.page, Page, ()),
            ("GET", "/api/v1/signals/statistics", self.statistics, Statistics, ()),
            ("GET", one, self.get, ShownSignal, (404,)),
            ("PATCH", one, self.judge, ShownSignal, (404,)),
        ):
            router.add_api_route(
                path,
                route,
                methods=[method],
                response_model=model,
                responses=problems(*wrong),
                tags=["signals"],
            )

    async def page(self, filters: Annotated[Filters, Query()]) -> Response:
        """Signals, newest first, by any of their words; ``since <= time < until``."""
        wanted, limit = filters.wanted(), filters.limit
        with told():
            found = await self._store.page(wanted, limit + 1)
        page = [_shown(one) for one in found[:limit]]
        last = page[-1] if len(found) > limit else None
        return answer(Page(page, None if last is None else f"{last.signal_time}~{last.id}"))

    async def get(self, signal_id: SignalId) -> Response:
        """One signal."""
        with told():
            return answer(_shown(await self._store.get(signal_id)))

    async def judge(self, signal_id: SignalId, body: Judged, user: User = LOCAL_USER) -> Response:
        """Say that a signal was executed or rejected, or that it is new again."""
        with told():
            return answer(_shown(await self._store.judge(signal_id, body.status, user)))

    async def statistics(self, since: Time = None, until: Time = None) -> Response:
        """How many there are by day (UTC), rule, symbol and status."""
        with told():
            counts = await self._store.counts(Wanted(since=since, until=until))
            symbols = await self._reads.viewed("signals")
            views = await self._reads.views("signals", symbols)
        return answer(
            Statistics(
                sum(one.count for one in counts),
                _summed(counts, lambda one: one.day),
                _summed(counts, lambda one: f"{one.config}.{one.rule}"),
                _summed(counts, lambda one: one.symbol),
                _summed(counts, lambda one: one.status),
                list(counts),
                {symbol: _session(text) for symbol, text in sorted(views.items())},
            )
        )


def _summed(counts: Sequence[Count], key: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in counts:
        found[key(one)] = found.get(key(one), 0) + one.count
    return found


def _session(view: str) -> dict[str, dict[str, int]]:
    shown = orjson.loads(view)
    return {name: shown.get(name, {}) for name in ("sent", "suppressed")}


def _place(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    at, _, signal_id = cursor.partition("~")
    if not (at.isascii() and at.isdigit() and len(at) <= 16 and signal_id):
        raise Problem(422, "cursor: must be the next_cursor of a page", parameter="cursor")
    return int(at), signal_id


def _shown(kept: Kept) -> ShownSignal:
    event = kept.event
    return ShownSignal(
        id=kept.id,
        config=event["config"],
        rule=event["rule"],
        rule_version=event["rule_version"],
        symbol=event["symbol"],
        signal_time=event["at"],
        direction=kept.direction,
        action=event["action"],
        price=event["price"],
        timeframe=event["timeframe"],
        level=event["level"],
        level_price=event["level_price"],
        gap=event["gap"],
        reason=event["reason"],
        operands=event["operands"],
        expires_at=event["expires_at"],
        cause=event["cause"],
        status=kept.status,
        status_at=kept.status_at,
        status_by=kept.status_by,
    )
