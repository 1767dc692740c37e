"""Whether a service keeps its tables in a file although several replicas of it are at work."""

import asyncio
from typing import NoReturn

import structlog
from redis.exceptions import RedisError

from shared.bus.connection import execute
from shared.bus.lease import LEASE_TTL_MS
from shared.bus.redis_log import RedisLog
from shared.bus.topics import StageName
from shared.store.store import Store

log = structlog.get_logger(__name__)

_LOOK_S = 30.0


class Replicas:
    """Looks who else runs a stage of the service that these tables belong to."""

    def __init__(self, store: Store, log_: RedisLog, stage: StageName) -> None:
        self._store = store
        self._log = log_
        self._stage = stage

    async def watch(self, first_look_s: float = LEASE_TTL_MS / 1000 + 1) -> NoReturn:
        """Say it once, each time that several are there.

        The first look comes when a process that this one replaces is forgotten.
        """
        told: str | None = None
        wait_s = first_look_s
        while True:
            await asyncio.sleep(wait_s)
            wait_s = _LOOK_S
            try:
                found = await self.complaint()
            except RedisError:
                continue  # the stages say so already
            if found is not None and found != told:
                log.warning("tables_not_shared", reason=found)
            told = found

    async def complaint(self) -> str | None:
        """What is wrong, and the mend; None if nothing is.

        Raises:
            RedisError: the log does not answer.
        """
        if self._store.is_shared:
            return None
        seconds, micros = await self._log.redis.time()
        now_ms = seconds * 1000 + micros // 1000
        members = self._log.keys.members(self._stage)
        alive = await execute(self._log.redis, "ZRANGEBYSCORE", members, now_ms, "+inf")
        names = sorted(str(name) for name in alive)
        if len(names) < 2:
            return None
        service, where = self._store.address.service, self._store.address.where
        return (
            f"{len(names)} replicas of {service} are at work ({', '.join(names)}), but its tables "
            f"are in the file {where}, which other machines cannot see; set DATABASE_URL to a "
            "PostgreSQL that all of them use"
        )
