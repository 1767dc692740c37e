"""``GET /monitor/snapshot``: an underlying's newest price, and those of its options."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from redis.exceptions import RedisError

from services.ingest.adapters.feeds.push.parse import Book
from services.ingest.domain.contracts import IndianOption, contract
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.lifetimes import unwatchable
from services.ingest.domain.roots import underlying as underlying_of
from services.ingest.domain.sessions import SessionCalendar
from shared.bus.redis_reads import RedisReads
from shared.clock import Clock
from shared.events.base import MICROS_PER_SECOND, moment
from shared.service.problems import Problem, documented

Underlying = Annotated[
    str, Query(min_length=1, max_length=40, description="for example NIFTY, or NIFTY 50")
]
_STALE_US = 10 * MICROS_PER_SECOND


@dataclass(frozen=True, slots=True)
class NewestPrice:
    """A newest price; stale if it is older than ten seconds while its market is open."""

    symbol: str
    price: float | None
    at: int | None
    age_ms: int | None
    stale: bool
    source: str


@dataclass(frozen=True, slots=True)
class OptionPrice(NewestPrice):
    """An option's newest price."""

    strike: float
    right: str
    expires: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An underlying and its options, by expiry and strike. ``stale`` if any of it is."""

    at: int
    market_open: bool
    stale: bool
    underlying: NewestPrice
    options: list[OptionPrice]


def monitor_router(
    reads: RedisReads, table: InstrumentTable, book: Book, clock: Clock
) -> APIRouter:
    """The route; it reads the newest prices that are shown of each symbol."""
    router = APIRouter(tags=["market"])
    ended = unwatchable(table, clock.now)

    async def snapshot(underlying: Underlying) -> Snapshot:
        """The newest prices of an underlying and of its options that have any and still trade."""
        symbol = book.symbol(underlying)
        if symbol is None:
            raise Problem(404, book.complaint(underlying))
        now = clock.now()
        seen = _options(await _shown(reads.viewed("candles")), symbol, moment(now).date())
        found = {name: one for name, one in seen.items() if ended(name) is None}
        texts = await _shown(reads.views("candles", [symbol, *found]))
        market_open = SessionCalendar(table.get(symbol).session).at(now) is not None
        newest = NewestPrice(**_newest(symbol, texts, now, market_open))
        options = [
            OptionPrice(
                **_newest(name, texts, now, market_open),
                strike=float(one.strike),
                right=one.right,
                expires=_expires(one),
            )
            for name, one in found.items()
        ]
        options.sort(key=lambda one: (one.expires, one.strike, one.right))
        stale = newest.stale or any(one.stale for one in options)
        return Snapshot(now, market_open, stale, newest, options)

    router.add_api_route(
        "/monitor/snapshot",
        snapshot,
        responses=documented({404: "unknown symbol; names the nearest", 503: "the log is away"}),
    )
    return router


async def _shown(asked: Any) -> Any:
    try:
        return await asked
    except (RedisError, OSError) as error:
        raise Problem(503, f"the log is away ({error}); try again soon") from None


def _options(symbols: list[str], of: str, today: date) -> dict[str, IndianOption]:
    """The options among some symbols that are of an underlying."""
    read = {symbol: contract(symbol, today) for symbol in symbols}
    return {
        symbol: one
        for symbol, one in read.items()
        if isinstance(one, IndianOption) and underlying_of(one) == of
    }


def _newest(symbol: str, texts: Mapping[str, str], now: int, market_open: bool) -> dict[str, Any]:
    last = json.loads(texts.get(symbol, "{}"))
    at = last.get("at")
    age = None if at is None else max(0, now - at)
    return {
        "symbol": symbol,
        "price": last.get("price"),
        "at": at,
        "age_ms": None if age is None else age // 1_000,
        "stale": market_open and (age is None or age > _STALE_US),
        "source": last.get("source", ""),
    }


def _expires(option: IndianOption) -> str:
    """The day of a weekly option, the month of a monthly one."""
    month = f"{option.year}-{option.month:02}"
    return month if option.day is None else f"{month}-{option.day:02}"
