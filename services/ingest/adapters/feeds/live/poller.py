"""The loop that asks one provider: whose turn it is, how many at once, and what failures mean."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.ingest.adapters.feeds.live.accounts import Accounts
from services.ingest.adapters.feeds.live.desk import Desk
from services.ingest.adapters.feeds.live.provider import TOGETHER_US, Provider
from services.ingest.domain.asking import Answer, Ask, ProviderFault, Reply
from services.ingest.domain.breaker import Breaker, BreakerRecipe, State
from services.ingest.domain.track import Track
from shared.bus.tasks import end
from shared.clock import Clock

_S = 1_000_000
# Longer than this without credits, and others are asked meanwhile.
_BROKE_S = 150.0
_REST_MAX_S = 30.0


class _Turn(NamedTuple):
    desk: Desk
    track: Track
    ask: Ask
    is_probe: bool


class Poller:
    """Asks a provider for the candles of all symbols that it is the active source of.

    Whoever was served least recently comes first, so that scarce credits are shared fairly. A
    failure holds up all its symbols, and no other provider's. ``pace`` is how many seconds of the
    clock go by in one of the event loop: 1 but for simulated days.
    """

    def __init__(
        self,
        provider: Provider,
        desks: Callable[[], Sequence[Desk]],
        lost: Callable[[], frozenset[str]],
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self.name = provider.name
        self.provider = provider
        self.pace = 1.0
        self.wake = asyncio.Event()
        self._desks = desks
        self._lost = lost
        self._accounts = accounts
        self._clock = clock
        self._breaker = Breaker(BreakerRecipe())
        self._broke_until = 0
        self._calls: set[asyncio.Task[None]] = set()
        self._purse = asyncio.Lock()
        self._interval_us = int(provider.interval_s * _S)
        accounts.watch(self.name, self.state)

    def state(self) -> State:
        """Whether the provider answers."""
        return self._breaker.state(self._clock.now())

    @property
    def is_lost(self) -> bool:
        """Whether others are to be asked instead: it is away, or refuses for long."""
        away_us = self._broke_until - self._clock.now()
        return self._breaker.is_lost or away_us > _BROKE_S * _S

    async def run(self) -> None:
        """Ask until cancelled."""
        try:
            while True:
                self.wake.clear()
                self._start_calls()
                rest_s = min(max(self._rest_us() / _S, 0.001), _REST_MAX_S) / self.pace
                try:
                    async with asyncio.timeout(rest_s):
                        await self.wake.wait()
                except TimeoutError:
                    continue
                finally:
                    self._collect()
        finally:
            await end(self._calls)
            self._calls.clear()

    def _start_calls(self) -> None:
        while len(self._calls) < (self.provider.parallel if self._breaker.is_sound else 1):
            turns = self._pick(self._clock.now())
            if not turns:
                return
            for turn in turns:
                turn.track.is_asked = True
            self._calls.add(asyncio.create_task(self._call(turns)))

    def _collect(self) -> None:
        """Calls that are over; a mistake of our own comes out here.

        Raises:
            Exception: whatever a call raised that is no provider's fault.
        """
        for task in [task for task in self._calls if task.done()]:
            self._calls.discard(task)
            task.result()

    def _pick(self, now: int) -> list[_Turn]:
        """The asks of the next call; none while nothing is due or the provider is left alone."""
        if now < max(self._breaker.again_at, self._broke_until):
            return []
        if self._breaker.is_lost:
            return self._probe(now)
        found: list[_Turn] = []
        for desk, track in self._due(now):
            ask = track.ask(self.name, now, self.provider.reach)
            if ask is not None and (not found or _go_together(found[0].ask, ask)):
                found.append(_Turn(desk, track, ask, False))
            if len(found) == self.provider.batch:
                break
        return found

    def _due(self, now: int) -> list[tuple[Desk, Track]]:
        """Symbols whose turn it is, the least recently served first."""
        lost = self._lost()
        due = [
            (desk, track)
            for desk, track in self._free()
            if track.next_at <= now and track.active(now, lost) == self.name
        ]
        return sorted(due, key=lambda one: one[1].served_at)

    def _probe(self, now: int) -> list[_Turn]:
        for desk, track in sorted(self._free(), key=lambda one: one[1].served_at):
            if self.name in track.names and self._calls == set():
                return [_Turn(desk, track, track.probe(self.name, now), True)]
        return []

    def _free(self) -> Iterator[tuple[Desk, Track]]:
        for desk in self._desks():
            if not desk.is_full:
                yield from ((desk, one) for one in desk.tracks.values() if not one.is_asked)

    def _rest_us(self) -> int:
        """Until something may be due. Calls that end and news of symbols wake the loop anyway."""
        now = self._clock.now()
        wait = max(self._breaker.again_at, self._broke_until) - now
        if wait > 0:
            return wait
        mine = [one.next_at for _, one in self._free() if self.name in one.names]
        return max(min(mine, default=now + 1000 * _S) - now, 50_000)

    async def _call(self, turns: list[_Turn]) -> None:
        sent_at = self._clock.now()
        try:
            # One after the other: of two calls side by side the first gets what is left.
            async with self._purse:
                sent_at = self._clock.now()
                granted, wait_s = await self.provider.room(len(turns), sent_at)
            if granted < len(turns):
                self._broke_until = sent_at + int(wait_s * _S)
            for turn in turns[:granted]:
                # Whoever got no credit keeps its place, or a scarce minute would pass it over.
                turn.track.served_at = sent_at
            if granted:
                replies = await self.provider.candles([turn.ask for turn in turns[:granted]])
                await self._answered(turns[:granted], replies, sent_at)
        except ProviderFault as fault:
            is_lost = self._breaker.failed(sent_at, self._clock.now(), fault.retry_after_s)
            await self._accounts.failed(self.name, fault.kind, str(fault), is_lost=is_lost)
        finally:
            for turn in turns:
                turn.track.is_asked = False
            self.wake.set()

    async def _answered(
        self, turns: Sequence[_Turn], replies: Mapping[str, Reply], sent_at: int
    ) -> None:
        was_lost = self._breaker.succeeded(sent_at)
        for turn in turns:
            if not turn.is_probe:
                self._hand_over(turn, replies[turn.track.symbol])
        await self._accounts.answered(self.name, was_lost=was_lost)

    def _hand_over(self, turn: _Turn, reply: Reply) -> None:
        desk, track, now = turn.desk, turn.track, self._clock.now()
        if desk.tracks.get(track.symbol) is not track:
            return
        if isinstance(reply, Answer):
            taken = track.take(turn.ask, self.name, reply, self._interval_us, now)
            self._accounts.dropped(self.name, taken.dropped)
            desk.put(taken.items)
        else:
            self._accounts.refused(self.name, track.symbol, reply.reason)
            desk.put(track.refused(self.name, reply, self._interval_us, now))


def _go_together(first: Ask, other: Ask) -> bool:
    return first.timeframe == other.timeframe and abs(first.since - other.since) <= TOGETHER_US
