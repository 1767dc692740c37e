"""Sees to it that the spine tells the rule sets that are configured here, and no others."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from redis.exceptions import RedisError

from services.signals.domain.rules import RuleSet, digest_of_set
from services.signals.domain.step import RULES_FIELD
from shared.bus.connection import execute
from shared.bus.redis_log import RedisLog
from shared.clock import Clock
from shared.events import ConfigRequested
from shared.events.spine import PARTITION_SYMBOL
from shared.store.errors import StoreError

log = structlog.get_logger(__name__)

_LOOK_S = 5.0
_FIRST_WAIT_S = 1.0
# A feed that is away applies nothing: its inbox is not to fill with the same request.
_LAST_WAIT_S = 300.0
_WITHDRAWN = "withdrawn"

InForce = Mapping[str, str]
"""Versions of rule sets by name."""

Wanted = Callable[[], Awaitable[Sequence[RuleSet]]]
"""Tells which sets are to be in force now."""


class RuleDesk:
    """Compares what is wanted with what is in force, and asks for the difference.

    What is in force stands in the stage's own state, partition by partition, so that a server that
    was away or has lost its data is seen like a change of the files.
    """

    def __init__(self, log: RedisLog, clock: Clock, wanted: Wanted) -> None:
        self._log = log
        self._clock = clock
        self._wanted = wanted
        self._has_asked = False

    def complaint(self) -> str | None:
        """Why this service is not ready: a market that began now would pass without its rules."""
        return None if self._has_asked else "the rule sets are not asked for yet"

    async def run(self) -> None:
        """Look again and again; wait longer each time that nobody has applied a request."""
        wait = _FIRST_WAIT_S
        while True:
            try:
                asked = await self.ask()
                self._has_asked = True
            except (RedisError, StoreError, OSError) as error:
                log.warning("rules_wait", reason=str(error))
                asked = []
            wait = min(wait * 2, _LAST_WAIT_S) if asked else _FIRST_WAIT_S
            await asyncio.sleep(wait if asked else _LOOK_S)

    async def ask(self) -> list[ConfigRequested]:
        """Request what is missing, outdated or too much in any partition; what was requested.

        Raises:
            RedisError: the log is away.
            StoreError: nobody can tell what is wanted, so nothing is withdrawn either.
        """
        wanted = await self._wanted()
        requests = differences(wanted, await self.in_force(), self._clock.now())
        for request in requests:
            await self._log.request_config(request)
            log.info("rules_requested", rule_set=request.name, version=request.version)
        return requests

    async def in_force(self) -> list[InForce]:
        """The versions in force, partition by partition.

        Raises:
            RedisError: the log is away.
        """
        keys = self._log.keys
        states = [keys.state(partition, "signals") for partition in range(keys.partitions)]
        texts = [await execute(self._log.redis, "HGET", key, RULES_FIELD) for key in states]
        return [_versions(text) for text in texts]


def differences(
    sets: Sequence[RuleSet], in_force: Sequence[InForce], at: int
) -> list[ConfigRequested]:
    """One request for each set that some partition lacks or should not have."""
    wanted = {rule_set.name: rule_set for rule_set in sets}
    unwanted = sorted({name for one in in_force for name in one} - wanted.keys())
    missing = [
        rule_set
        for rule_set in sets
        if any(one.get(rule_set.name) != rule_set.version for one in in_force)
    ]
    return [
        *(_request(one.name, one.version, one.body, at) for one in missing),
        *(_request(name, _WITHDRAWN, {}, at) for name in unwanted),
    ]


def _request(name: str, version: str, body: dict[str, object], at: int) -> ConfigRequested:
    return ConfigRequested(
        symbol=PARTITION_SYMBOL,
        at=at,
        pos=0,
        kind="rules",
        name=name,
        version=version,
        body=body,
    )


def _versions(text: str | None) -> InForce:
    bodies = [] if text is None else json.loads(text)
    return {body["name"]: digest_of_set(body) for body in bodies}
