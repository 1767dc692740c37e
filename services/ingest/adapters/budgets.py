"""Credits of providers that count calls: taken before a call, set right by what they answer."""

import hashlib
from importlib.resources import files
from typing import Protocol

from redis.asyncio import Redis

from shared.bus.keys import Keys
from shared.bus.redis_errors import wait_out
from shared.bus.redis_scripts import Script
from shared.events.base import Scalar

_S = 1_000_000
_DAY_US = 86_400 * _S
_UNKNOWN = -1


class Budget(Protocol):
    """How many calls a provider may still be asked. Times are the market's, µs."""

    async def reserve(self, calls: int, now: int) -> tuple[int, float]:
        """Take so many credits, or as many as there are: how many, and seconds until more come."""
        ...

    async def settle(self, used: int | None, left: int | None, now: int) -> None:
        """The provider says how many were used this minute, by whomever, and how many are left."""
        ...

    async def block(self, wait_s: float, now: int) -> None:
        """The provider refuses everybody for so long; a day means until midnight UTC."""
        ...


class SharedBudget:
    """A budget in the log's server, one for all replicas of a namespace.

    ``per_day`` of None is no limit. The key goes two days after the last call.
    """

    def __init__(
        self, redis: Redis, keys: Keys, provider: str, per_minute: int, per_day: int | None
    ) -> None:
        self._redis = redis
        self._key = keys.budget(provider)
        self._limits = (per_minute, 0 if per_day is None else per_day)
        text = files("services.ingest.adapters").joinpath("budget.lua").read_text("utf-8")
        self._script = Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())

    async def reserve(self, calls: int, now: int) -> tuple[int, float]:
        granted, wait_us = await self._run("reserve", now, calls, *self._limits)
        return int(granted), int(wait_us) / _S

    async def settle(self, used: int | None, left: int | None, now: int) -> None:
        if used is not None:
            await self._run("settle", now, used, _UNKNOWN if left is None else left)

    async def block(self, wait_s: float, now: int) -> None:
        midnight = (now // _DAY_US + 1) * _DAY_US
        await self._run("block", now, min(now + int(wait_s * _S), midnight))

    async def _run(self, what: str, now: int, *more: Scalar) -> list[bytes | int]:
        """A server that is away is waited for, as by every stage."""
        reply: list[bytes | int] = await wait_out(
            lambda: self._script.run(self._redis, [self._key], [what, now, *more]),
            "the credits of a provider",
        )
        return reply
