"""Delivers what the intake decided, and writes a receipt for every alert."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from services.notifier.adapters.meters import Meters
from services.notifier.adapters.outlet import Outlet
from services.notifier.domain.delivery import Outcome, Retry, Verdict, Wait, judge
from services.notifier.domain.intents import AlertIntent
from services.notifier.domain.lane import Lane
from services.notifier.domain.waiting import Waiting
from shared.bus.poison import dead_letter
from shared.bus.session import Session
from shared.bus.tasks import end, outlast
from shared.bus.topics import StageName, Topic
from shared.clock import Clock
from shared.events.alert import AlertFired
from shared.events.base import MICROS_PER_SECOND, Event
from shared.events.codec import Decoded, Poison
from shared.events.control import Watermark

log = structlog.get_logger(__name__)

STAGE: StageName = "sender"
INTENTS: Topic = "alert_intent"
READ_COUNT = 500
# A read ends early when an intent arrives; this is only how often an idle partition looks again.
_BLOCK_MS = 2_000
# How long a stop waits for answers under way, as most receivers give them, and then for the commit
# of what they were; together well below a lease's time, which nobody renews meanwhile.
_LANDING_S = 1.0
_LAST_COMMIT_S = 0.5


@dataclass(frozen=True, slots=True)
class Desk:
    """What the senders of all partitions of a process share."""

    outlets: Mapping[str, Outlet]
    clock: Clock
    meters: Meters


@dataclass(slots=True)
class _Change:
    """What the next commit writes, gathered from entries read and sends that ended."""

    outputs: list[Event] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)
    offsets: dict[Topic, tuple[str, int]] = field(default_factory=dict)
    receipts: list[AlertFired] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.outputs or self.state or self.offsets)


class Sender:
    """The deliveries of one partition.

    An intent that was read is either ended (its receipt is written) or waiting (it stands in the
    state) in the very commit that moves the offset past it, so a crash loses none. A crash between
    a send and its commit sends again, with the same idempotency key.
    """

    def __init__(self, session: Session, desk: Desk) -> None:
        self._session = session
        self._outlets = desk.outlets
        self._clock = desk.clock
        self._meters = desk.meters
        self._lanes = {name: Lane(outlet.waiting_max) for name, outlet in desk.outlets.items()}
        self._flights: dict[asyncio.Task[Outcome], Waiting] = {}
        self._flying = dict.fromkeys(desk.outlets, 0)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Deliver until cancelled; then let what is under way land, so that nothing is sent twice.

        Raises:
            LeaseLost: another worker owns the partition now.
        """
        delivering = asyncio.create_task(self._deliver())
        try:
            await asyncio.wait([delivering])
        except asyncio.CancelledError:
            self._stopping.set()
            await outlast(delivering, _LANDING_S + _LAST_COMMIT_S)
            raise
        finally:
            await end([delivering])
        delivering.result()

    async def _deliver(self) -> None:
        """Deliver until told to stop."""
        reading: asyncio.Task[list[Decoded]] | None = None
        stop = asyncio.create_task(self._stopping.wait())
        try:
            await self._commit(self._restored())
            while not stop.done():
                if reading is None:
                    reading = asyncio.create_task(self._read())
                await asyncio.wait(
                    {reading, stop, *self._flights},
                    timeout=self._launch(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                entries: list[Decoded] = []
                if reading.done() and not stop.done():
                    entries, reading = reading.result(), None
                if entries or any(flight.done() for flight in self._flights):
                    await self._turn(entries)
            await self._land_at_last()
        finally:
            for name, lane in self._lanes.items():
                self._meters.waits(name, -len(lane) - self._flying[name])
            await end([stop, *self._flights, *([reading] if reading else [])])

    async def _land_at_last(self) -> None:
        """Wait for the answers under way, and write down what they were."""
        if self._flights:
            await asyncio.wait(self._flights, timeout=_LANDING_S)
            change = _Change()
            self._land(change)
            await self._commit(change)

    async def _read(self) -> list[Decoded]:
        return await self._session.read(INTENTS, block_ms=_BLOCK_MS, count=READ_COUNT)

    async def _turn(self, entries: Sequence[Decoded]) -> None:
        change = _Change()
        fresh = self._take(entries, change)
        self._launch()
        # One turn of the event loop: a channel that does not have to wait has delivered by then,
        # and its receipts share the commit that moves the offset.
        await asyncio.sleep(0)
        self._land(change)
        ended = {receipt.cause for receipt in change.receipts}
        for waiting in fresh:
            if waiting.intent.id not in ended:
                change.state.setdefault(waiting.field, waiting.text())
        await self._commit(change)

    def _restored(self) -> _Change:
        """Queue what an earlier owner of the partition left waiting."""
        change = _Change()
        for name, text in self._session.state.items():
            waiting = Waiting.parse(text)
            if isinstance(waiting, Poison):
                change.outputs.append(dead_letter(STAGE, INTENTS, name, waiting))
                change.state[name] = ""
            else:
                self._queue(waiting, change)
        return change

    def _take(self, entries: Sequence[Decoded], change: _Change) -> list[Waiting]:
        """Queue the intents read; returns them."""
        fresh = []
        now = self._clock.now()
        for entry_id, event in entries:
            if isinstance(event, AlertIntent):
                waiting = Waiting(event, due_at=now)
                fresh.append(waiting)
                self._queue(waiting, change)
            elif not isinstance(event, Watermark):
                change.outputs.append(dead_letter(STAGE, INTENTS, entry_id, _poison(event)))
        if entries:
            change.offsets[INTENTS] = (entries[-1][0], len(entries))
        return fresh

    def _queue(self, waiting: Waiting, change: _Change) -> None:
        channel = waiting.intent.channel
        if channel not in self._lanes:
            detail = f"no channel is named {channel}: configure it, or take it out of the routes"
            self._end(waiting, Verdict("failed", detail), change)
            return
        self._meters.waits(channel, 1)
        squeezed_out = self._lanes[channel].add(waiting)
        if squeezed_out is not None:
            self._meters.waits(channel, -1)
            limit = self._outlets[channel].waiting_max
            detail = f"gave way to newer alerts: more than {limit} wait; {squeezed_out.detail}"
            self._end(squeezed_out, Verdict("failed", detail.rstrip("; ")), change)

    def _launch(self) -> float | None:
        """Begin every send whose turn it is; seconds until the next, None where none waits."""
        naps = [nap for name in self._lanes if (nap := self._launch_lane(name)) is not None]
        return min(naps, default=None)

    def _launch_lane(self, name: str) -> float | None:
        lane, outlet = self._lanes[name], self._outlets[name]
        while (due_at := lane.due_at) is not None and self._flying[name] < outlet.in_flight_max:
            early_s = (due_at - self._clock.now()) / MICROS_PER_SECOND
            if early_s > 0:
                return early_s
            wait_s = outlet.pace.take(self._clock.elapsed())
            if wait_s > 0:
                return wait_s
            waiting = lane.pop()
            flight = asyncio.create_task(outlet.channel.send(waiting.intent))
            self._flights[flight] = waiting
            self._flying[name] += 1
        return None

    def _land(self, change: _Change) -> None:
        """Judge the sends that have ended."""
        for flight in [flight for flight in self._flights if flight.done()]:
            waiting = self._flights.pop(flight).tried()
            channel = waiting.intent.channel
            self._flying[channel] -= 1
            self._meters.waits(channel, -1)
            outcome = _outcome(flight, channel)
            verdict = judge(outcome, waiting.attempts, self._outlets[channel].schedule)
            if isinstance(verdict, Verdict):
                self._end(waiting, verdict, change)
                continue
            if isinstance(outcome, Retry) and outcome.after_s is not None:
                # It speaks of the whole channel, not of this alert.
                self._outlets[channel].pace.hold(self._clock.elapsed() + outcome.after_s)
            self._postpone(waiting, verdict, change)

    def _postpone(self, waiting: Waiting, wait: Wait, change: _Change) -> None:
        due_at = self._clock.now() + round(wait.seconds * MICROS_PER_SECOND)
        later = waiting.postponed(due_at, wait.detail)
        change.state[later.field] = later.text()
        self._meters.retried(later.intent.channel)
        log.warning(
            "alert_postponed",
            alert=later.intent.id,
            attempts=later.attempts,
            wait_s=round(wait.seconds, 3),
            reason=wait.detail,
        )
        self._queue(later, change)

    def _end(self, waiting: Waiting, verdict: Verdict, change: _Change) -> None:
        intent = waiting.intent
        receipt = AlertFired(
            symbol=intent.symbol,
            at=intent.at,
            pos=intent.pos,
            channel=intent.channel,
            signal=intent.signal,
            status=verdict.status,
            attempts=waiting.attempts,
            text=intent.text,
            detail=verdict.detail,
            fired_at=self._clock.now(),
            cause=intent.id,
        )
        change.outputs.append(receipt)
        change.receipts.append(receipt)
        if waiting.field in self._session.state or waiting.field in change.state:
            change.state[waiting.field] = ""

    async def _commit(self, change: _Change) -> None:
        if change.is_empty:
            return
        await self._session.commit(change.outputs, change.state, change.offsets)
        for receipt in change.receipts:
            self._meters.ended(receipt)
            if receipt.status == "failed":
                log.error("alert_failed", alert=receipt.cause, reason=receipt.detail)


def _outcome(flight: asyncio.Task[Outcome], channel: str) -> Outcome:
    """What a send came to; one that broke is tried again, so that no bug mutes the others."""
    error = asyncio.CancelledError() if flight.cancelled() else flight.exception()
    if error is None:
        return flight.result()
    log.error("channel_broke", channel=channel, exc_info=error)
    return Retry(f"the channel broke: {error!r}")


def _poison(event: Event | Poison) -> Poison:
    if isinstance(event, Poison):
        return event
    return Poison(tuple(map(str, event.wire())), f"{event.id} is no alert intent")
