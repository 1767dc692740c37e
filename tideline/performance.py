"""A demo's run, from the first price to the last figure."""

import asyncio
from dataclasses import dataclass

from shared.bus.redis_log import RedisLog
from shared.clock import Clock
from tideline.lag import under_way
from tideline.launcher import Launch, Site
from tideline.market import Market
from tideline.server import remove_namespace
from tideline.tally import Tally, Totals
from tideline.terminal import Terminal

FEED = "ingest"
_LOOK_S = 1.0
_DRAIN_LOOK_S = 0.05
_DRAIN_MAX_S = 10.0


@dataclass(frozen=True, slots=True)
class Played:
    """What a demo has done. ``under_way`` is what no stage got to any more."""

    totals: Totals
    seconds: float
    under_way: int
    was_stopped: bool


class Performance:
    """Lets the market run, counts along, and ends it in order: prices first, then the rest."""

    def __init__(
        self,
        launch: Launch,
        market: Market,
        seconds: float | None,
        terminal: Terminal,
        clock: Clock,
    ) -> None:
        self._launch = launch
        self._market = market
        self._seconds = seconds
        self._terminal = terminal
        self._clock = clock

    async def play(self, site: Site) -> Played:
        """The launcher's work: ends at its time, at the file's end, or when told to stop."""
        launch = self._launch
        log = RedisLog(site.redis_url, launch.keys)
        try:
            return await self._play(site, log)
        finally:
            if launch.redis_url is not None:
                await remove_namespace(log.redis, launch.keys)
            await log.close()

    async def _play(self, site: Site, log: RedisLog) -> Played:
        self._terminal.say(f"Tideline is up with {self._market.title}: {self._launch.page}")
        tally, began = Tally(log), self._clock.elapsed()
        with self._terminal.progress("Ctrl-C stops it") as update:
            while not await self._is_over(site, log, began):
                await tally.read_on()
                update(f"{tally.totals.sentence} · Ctrl-C stops it")
        seconds = round(self._clock.elapsed() - began, 1)
        was_stopped = site.stop.is_set()
        await site.supervisor.stop([FEED])
        left = await self._drained(log)
        await tally.read_on()
        return Played(tally.totals, seconds, left, was_stopped)

    async def _is_over(self, site: Site, log: RedisLog, began: float) -> bool:
        """Wait for a look's time, or less if it ends within."""
        left = _LOOK_S
        if self._seconds is not None:
            left = min(left, began + self._seconds - self._clock.elapsed())
        try:
            await asyncio.wait_for(site.stop.wait(), max(0.0, left))
        except TimeoutError:
            return left < _LOOK_S or await self._is_played_out(log)
        return True

    async def _is_played_out(self, log: RedisLog) -> bool:
        """Whether the feed has said that its file is at its end."""
        return False

    async def _drained(self, log: RedisLog) -> int:
        """Wait until every stage has done what it was given; returns what is left after all."""
        until = self._clock.elapsed() + _DRAIN_MAX_S
        while True:
            left = await under_way(log)
            if left == 0 or self._clock.elapsed() > until:
                return left
            await asyncio.sleep(_DRAIN_LOOK_S)
