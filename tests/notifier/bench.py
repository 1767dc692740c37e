"""A bench for the sender: one partition of a log, intents in, receipts out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry

from services.notifier.adapters.channels import Channel
from services.notifier.adapters.channels.webhook import WebhookChannel
from services.notifier.adapters.meters import Meters
from services.notifier.adapters.outlet import Outlet
from services.notifier.adapters.sender import Desk, Sender
from services.notifier.domain.delivery import Delivered, Outcome, Schedule
from services.notifier.domain.intents import AlertIntent
from services.notifier.settings import WebhookSection
from shared.bus.lease import LEASE_TTL_MS
from shared.bus.log import START, Lease, LeaseLost, Log
from shared.bus.progress import Progress
from shared.bus.session import Session
from shared.bus.tasks import end
from shared.clock import SystemClock
from shared.events import AlertFired, DeadLetter
from shared.events.codec import decode
from tests.notifier.receiver import Receiver

PATIENCE_S = 60.0
# For an hour: an answer that does not come while a test lasts.
NEVER_S = 3600.0
QUICK = Schedule(first_s=0.02, factor=2, longest_s=0.2, attempts_max=4, retry_after_max_s=60)
_LOOK_S = 0.002


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - it depends on another process's log
            await asyncio.sleep(_LOOK_S)


class Bench:
    """Partition 0 of a log and the outlets its sender uses."""

    def __init__(self, log: Log, outlets: Mapping[str, Outlet]) -> None:
        self.log = log
        self.registry = CollectorRegistry()
        self.desk = Desk(outlets, SystemClock(), Meters(self.registry))

    async def post(self, intents: Sequence[AlertIntent]) -> None:
        """Write intents as the intake does."""
        for intent in intents:
            await self.log.append(0, "alert_intent", intent.wire())

    async def session(self) -> Session:
        """The partition under a new lease, as after a restart."""
        lease = await self.log.acquire("sender", 0, "worker", LEASE_TTL_MS)
        assert isinstance(lease, Lease)
        return Session(self.log, lease, Progress("sender"), lambda: None)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Session]:
        """A sender at work, stopped in good order."""
        session = await self.session()
        task = asyncio.create_task(Sender(session, self.desk).run())
        try:
            yield session
        finally:
            await _ended(task)

    @asynccontextmanager
    async def crashing(self) -> AsyncIterator[None]:
        """A sender at work that dies wherever it stands: nothing it does reaches the log."""
        task = asyncio.create_task(Sender(await self.session(), self.desk).run())
        try:
            yield
        finally:
            await self.session()
            with suppress(LeaseLost):
                await _ended(task)

    async def receipts(self) -> list[AlertFired]:
        """All receipts written, in their order."""
        entries = await self.log.read({(0, "alert_fired"): START}, count=10_000, block_ms=0)
        events = [event for _, event in decode(entries.get((0, "alert_fired"), []))]
        assert all(isinstance(event, AlertFired) for event in events)
        return [event for event in events if isinstance(event, AlertFired)]

    async def receipts_of(self, count: int) -> list[AlertFired]:
        """The receipts, once there are so many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := await self.receipts()) < count:  # noqa: ASYNC110 - as above
                await asyncio.sleep(_LOOK_S)
        return found

    async def dead_letters(self) -> list[DeadLetter]:
        """What was stepped over."""
        entries = await self.log.read({(0, "dead_letter"): START}, count=1_000, block_ms=0)
        events = [event for _, event in decode(entries.get((0, "dead_letter"), []))]
        return [event for event in events if isinstance(event, DeadLetter)]

    async def state(self) -> dict[str, str]:
        """What waits, as the partition's next owner would find it; ends the present owner."""
        return dict((await self.session()).state)

    def count(self, name: str, **labels: str) -> float:
        """A metric's value, 0 where it was never touched."""
        return self.registry.get_sample_value(name, labels) or 0.0


async def _ended(task: asyncio.Task[None]) -> None:
    await end([task])
    if not task.cancelled():
        task.result()


class Scripted:
    """A channel in memory: tells what was sent, answers from a list and then delivers."""

    def __init__(self, name: str = "console", answers: Sequence[Outcome] = ()) -> None:
        self.name = name
        self.sent: list[str] = []
        self._answers = list(answers)

    async def send(self, intent: AlertIntent) -> Outcome:
        self.sent.append(intent.id)
        return self._answers.pop(0) if self._answers else Delivered()

    async def close(self) -> None:
        """Nothing to give back."""

    @property
    def times(self) -> Counter[str]:
        """How often each alert was sent."""
        return Counter(self.sent)


class Stuck(Scripted):
    """A channel whose sends arrive but never come back."""

    async def send(self, intent: AlertIntent) -> Outcome:
        self.sent.append(intent.id)
        await asyncio.Event().wait()
        raise AssertionError("never reached")


def outlets(*channels: Channel) -> dict[str, Outlet]:
    """Channels with no limits."""
    return {channel.name: Outlet(channel) for channel in channels}


def webhook(receiver: Receiver, timeout_s: float = PATIENCE_S) -> WebhookChannel:
    """The webhook channel named desk, to a receiver; a busy machine is no reason to try again."""
    section = WebhookSection.model_validate(
        {"url": receiver.url, "secret": "0123456789abcdef", "timeout_s": timeout_s}
    )
    return WebhookChannel("desk", section, SystemClock())
