"""``GET /api/v1/freshness``: whose data are alive, whose have died, and whose market is closed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Query
from redis.exceptions import RedisError

from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.readings import Reading, reading
from shared.bus.redis_reads import RedisReads
from shared.clock import Clock
from shared.service.problems import Problem, documented

log = structlog.get_logger(__name__)

Symbols = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=40)]],
    Query(max_length=500, description="only these; all that are watched if none is named"),
]


@dataclass(frozen=True, slots=True)
class Freshness:
    """Every watched symbol's freshness, and how many have which status."""

    at: int
    counts: dict[str, int]
    symbols: list[Reading]


def freshness_router(reads: RedisReads, table: InstrumentTable, clock: Clock) -> APIRouter:
    """The route; it reads what the watch shows, whichever process that runs in."""
    router = APIRouter(tags=["market"])

    async def freshness(symbol: Symbols = []) -> Freshness:  # noqa: B006 - never changed
        """How fresh the data of each watched symbol are: fresh, late, stale or closed."""
        for one in symbol:
            if table.find(one) is None:
                raise Problem(404, table.complaint(one))
        now = clock.now()
        found = await readings(reads, symbol, now)
        counts = Counter(one.status for one in found)
        return Freshness(now, dict(sorted(counts.items())), found)

    router.add_api_route(
        "/api/v1/freshness",
        freshness,
        responses=documented(
            {
                404: "unknown symbol; names the nearest",
                422: "a symbol is malformed",
                503: "the log is away",
            }
        ),
    )
    return router


async def readings(reads: RedisReads, symbols: Sequence[str], now: int) -> list[Reading]:
    """What is shown of some symbols, or of all; those of which nothing is shown are left out.

    Raises:
        Problem: the log is away.
    """
    try:
        wanted = symbols or await reads.viewed("feed")
        texts = await reads.views("feed", wanted)
    except (RedisError, OSError) as error:
        raise Problem(503, f"the log is away ({error}); try again soon") from None
    found = []
    for symbol, text in texts.items():
        try:
            found.append(reading(symbol, text, now))
        except ValueError as error:
            log.warning("view_unreadable", symbol=symbol, reason=str(error))
    return found
