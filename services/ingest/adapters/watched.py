"""Which symbols are watched now: kept up to date from the watchlists, for feeds to follow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NoReturn, Protocol

import structlog

from services.ingest.domain.watching import (
    NOBODY,
    Budget,
    Count,
    Plan,
    Problem,
    plan,
    plan_blindly,
)
from shared.store.errors import StoreError

log = structlog.get_logger(__name__)

Counts = Callable[[], Awaitable[Sequence[Count]]]
"""How many users want each symbol; raises StoreError where that cannot be told."""
Announce = Callable[[str], Awaitable[None]]
"""Tells operators that the default set is watched, or is not any more."""
Hear = Callable[[], AsyncIterator[None]]
"""Says each time that watchlists may have changed; may end or miss one."""

# However the news of a change are lost, it counts by then.
LOOK_S = 30.0
_AGAIN_S = 2.0


class Watched(Protocol):
    """The watched symbols, the same on every replica but for a moment.

    A partition's owner feeds those of its partition.
    """

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is watched now, most watched first; empty before the first look."""
        ...

    async def other_than(self, known: Sequence[str]) -> tuple[str, ...]:
        """What is watched, as soon as it is anything else than what is known, order aside."""
        ...


class FixedSet:
    """Symbols that are watched whatever people say."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols = tuple(symbols)

    async def other_than(self, known: Sequence[str]) -> tuple[str, ...]:
        if set(known) == set(self.symbols):
            await asyncio.Event().wait()
        return self.symbols


class WatchedByUsers:
    """The union of all users' active entries, looked up when somebody says that it has changed.

    Where the tables cannot be read, or nobody watches anything, the default set is watched, and
    operators are told so, until that is over.
    """

    def __init__(
        self,
        counts: Counts,
        budget: Budget,
        problem: Problem,
        announce: Announce,
        hear: Hear,
    ) -> None:
        self._counts = counts
        self._budget = budget
        self._problem = problem
        self._announce = announce
        self._hear = hear
        self._plan: Plan | None = None
        self._read: Plan | None = None
        self._changed = asyncio.Event()

    @property
    def plan(self) -> Plan | None:
        """The plan in force; None before the first look."""
        return self._plan

    @property
    def symbols(self) -> tuple[str, ...]:
        return () if self._plan is None else self._plan.symbols

    async def other_than(self, known: Sequence[str]) -> tuple[str, ...]:
        while self._plan is None or set(self.symbols) == set(known):
            changed = self._changed
            await changed.wait()
        return self.symbols

    async def run(self) -> NoReturn:
        """Look whenever somebody says so, and every now and then anyway."""
        told = asyncio.Event()
        ears = asyncio.create_task(self._listen(told))
        try:
            while True:
                told.clear()
                await self.look()
                if ears.done():
                    ears.result()
                failed = self._plan is not None and self._plan is not self._read
                try:
                    async with asyncio.timeout(_AGAIN_S if failed else LOOK_S):
                        await told.wait()
                except TimeoutError:
                    continue
        finally:
            ears.cancel()
            await asyncio.wait([ears])

    async def look(self) -> None:
        """Read the watchlists and put what follows in force."""
        try:
            read = plan(await self._counts(), self._budget, self._problem)
        except StoreError as error:
            found = plan_blindly(self._read, self._budget, self._problem, str(error))
        else:
            found = self._read = read
        await self._put_in_force(found)

    async def _put_in_force(self, found: Plan) -> None:
        before, self._plan = self._plan, found
        if before is None or before.symbols != found.symbols:
            log.info("watching", count=len(found.symbols), symbols=" ".join(found.symbols))
        if _state(found) != _state(before):
            await self._tell(found)
        if before is None or set(before.symbols) != set(found.symbols):
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def _tell(self, found: Plan) -> None:
        if found.fallback is None:
            log.info("watchlists_back", count=len(found.symbols))
            await self._announce("the watchlists count again")
            return
        log.warning("watching_default_set", reason=found.fallback)
        await self._announce(f"the default set is watched: {found.fallback}")

    async def _listen(self, told: asyncio.Event) -> NoReturn:
        while True:
            async for _ in self._hear():
                told.set()
            await asyncio.sleep(_AGAIN_S)


def _state(of: Plan | None) -> str:
    """What operators care about: an outage has many wordings and is one."""
    if of is None or of.fallback is None:
        return "watchlists"
    return "nobody" if of.fallback == NOBODY else "outage"
