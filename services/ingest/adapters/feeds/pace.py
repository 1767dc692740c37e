"""How a market that is played runs against the wall clock, the same for every partition."""

import json
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.redis_errors import wait_out
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Pace:
    """At the wall's ``wall`` (µs) the market's time was ``market``; it runs ``speed`` as fast."""

    market: int
    wall: int
    speed: float

    def market_at(self, now: int) -> int:
        """The market's time at a moment of the wall clock."""
        return self.market + int((now - self.wall) * self.speed)

    def wait_s(self, market: int, now: int) -> float:
        """Seconds until the market's time comes; zero or less if it is there."""
        return (market - self.market_at(now)) / self.speed / 1_000_000


class Paces:
    """Remembers in the log's server when each market began, so that a restart goes on.

    Fields of the namespace's own hash: permanent, one for each market ever played there.
    """

    def __init__(self, redis: Redis, keys: Keys, clock: Clock) -> None:
        self._redis = redis
        self._key = keys.meta()
        self._clock = clock

    async def of(self, market: str, start: int, speed: float) -> Pace:
        """The market's pace: from ``start`` now if it never ran, else as it began.

        A speed other than the last time's counts from now on.
        """
        now, field = self._clock.now(), f"pace:{market}"
        await self._ask("HSETNX", field, json.dumps([start, now, speed]))
        pace = Pace(*json.loads(await self._ask("HGET", field)))
        if pace.speed != speed:
            pace = Pace(pace.market_at(now), now, speed)
            await self._ask("HSET", field, json.dumps([pace.market, pace.wall, pace.speed]))
        return pace

    async def _ask(self, command: str, *words: str) -> Any:
        """A command on the hash; a server that is away is waited for, as by every stage."""
        return await wait_out(
            lambda: execute(self._redis, command, self._key, *words), "the pace of a market"
        )


class PacedClock:
    """A market's pace as a clock: for days that are simulated."""

    def __init__(self, pace: Pace, wall: Clock) -> None:
        self.pace = pace
        self._wall = wall

    def now(self) -> int:
        return self.pace.market_at(self._wall.now())

    def elapsed(self) -> float:
        return self._wall.elapsed()
