"""A demo's run, from the first price to the last figure."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from redis.exceptions import RedisError

from shared.bus.connection import execute
from shared.bus.redis_log import RedisLog
from shared.clock import Clock
from shared.events import Ops
from shared.events.codec import decode
from tideline.lag import under_way
from tideline.launcher import Launch, Site
from tideline.market import Market
from tideline.tally import Tally, Totals
from tideline.terminal import Terminal

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Played:
    """What a demo has done."""

    totals: Totals
    seconds: float
    was_stopped: bool


class Performance:
    """Lets the market run and counts along, until its time, its file or somebody's patience ends.

    A file is over once every partition's feed is at its end and every stage has done what it was
    given.
    """

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
        """The launcher's work."""
        launch = self._launch
        log = RedisLog(site.redis_url, launch.keys)
        try:
            return await self._play(site, log)
        finally:
            await log.close()

    async def _play(self, site: Site, log: RedisLog) -> Played:
        self._terminal.say(f"Tideline is up with {self._market.title}: {self._launch.page}")
        tally, began = Tally(log), self._clock.elapsed()
        with self._terminal.progress("Ctrl-C stops it") as update:
            while not await self._is_over(site, log, began):
                # A server that is away is being started again: the next look sees it all.
                with suppress(RedisError, OSError):
                    await tally.read_on()
                self._tell_reasons(tally)
                update(f"{tally.totals.sentence} · Ctrl-C stops it")
        seconds, was_stopped = round(self._clock.elapsed() - began, 1), site.stop.is_set()
        # Counted once nobody writes any more, so that the figures are those of what was shown.
        await site.end_services()
        await tally.read_on()
        self._tell_reasons(tally)
        return Played(tally.totals, seconds, was_stopped)

    def _tell_reasons(self, tally: Tally) -> None:
        for reason in tally.new_reasons():
            self._terminal.say(f"dead letter: {reason}", style="yellow")

    async def _is_over(self, site: Site, log: RedisLog, began: float) -> bool:
        """Wait for a look's time, or less if it ends within."""
        left = _LOOK_S
        if self._seconds is not None:
            left = min(left, began + self._seconds - self._clock.elapsed())
        try:
            await asyncio.wait_for(site.stop.wait(), max(0.0, left))
        except TimeoutError:
            if self._seconds is not None and left < _LOOK_S:
                return True
            with suppress(RedisError, OSError):
                return self._market.file is not None and await _is_played_out(log)
            return False
        return True


async def _is_played_out(log: RedisLog) -> bool:
    """Whether every partition's feed has said that it is at its end, and all is worked through."""
    key = log.keys.ops()
    entries = await execute(log.redis, "XRANGE", key, "-", "+")
    ended = {
        event.detail
        for _, event in decode(entries)
        if isinstance(event, Ops) and (event.service, event.kind) == ("ingest", "last_entry")
    }
    return len(ended) == log.partitions and await under_way(log) == 0
