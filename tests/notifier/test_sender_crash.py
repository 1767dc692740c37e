"""The sender is killed, stopped and replaced: every alert still ends exactly once."""

import asyncio
import random

import pytest

from services.notifier.adapters import sender
from services.notifier.adapters.outlet import Outlet
from services.notifier.adapters.sender import Sender
from services.notifier.domain.delivery import Delivered, Outcome, Rejected, Retry, Schedule
from services.notifier.domain.intents import AlertIntent
from services.notifier.domain.waiting import Waiting
from shared.bus.connection import execute
from shared.bus.log import LeaseLost, Log
from shared.bus.redis_log import RedisLog
from shared.bus.session import Session
from shared.bus.tasks import end
from tests.notifier.bench import (
    NEVER_S,
    PATIENCE_S,
    QUICK,
    Bench,
    Scripted,
    Stuck,
    outlets,
    until,
    webhook,
)
from tests.notifier.receiver import Answer, receiving
from tests.notifier.samples import an_intent, intents


async def test_crash_between_send_and_commit_sends_again_with_the_same_key(any_log: Log) -> None:
    """The receiver sees the alert twice and can tell; the log holds one receipt."""
    slow = True
    async with receiving(lambda _: Answer(after_s=NEVER_S if slow else 0.0)) as receiver:
        channel = webhook(receiver)
        bench = Bench(any_log, {"desk": Outlet(channel, QUICK)})
        await bench.post([an_intent("desk")])
        async with bench.crashing():
            await until(lambda: receiver.requests)
        assert await bench.receipts() == []
        slow = False
        async with bench.sending():
            (receipt,) = await bench.receipts_of(1)
            await asyncio.sleep(0.02)
        await channel.close()
        assert receiver.keys == [an_intent("desk").id] * 2
        assert (receipt.status, receipt.attempts) == ("delivered", 1)
        assert len(await bench.receipts()) == 1


class Slow(Scripted):
    """Answers when it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = asyncio.Event()

    async def send(self, intent: AlertIntent) -> Outcome:
        self.sent.append(intent.id)
        await self.allowed.wait()
        return Delivered()


@pytest.fixture
def landing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop that waits for answers however long the machine stands still."""
    monkeypatch.setattr(sender, "_LANDING_S", PATIENCE_S)


@pytest.mark.usefixtures("landing")
async def test_an_orderly_stop_waits_for_answers_under_way(any_log: Log) -> None:
    """An answer that comes soon still gets its receipt, so that nothing is sent twice."""
    slow = Slow()
    bench = Bench(any_log, outlets(slow))
    await bench.post([an_intent()])
    session = await bench.session()
    task = asyncio.create_task(Sender(session, bench.desk).run())
    await until(lambda: session.state)
    # Told again and again, as by whoever ends a task for certain.
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.01)
    assert not task.done()
    slow.allowed.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert len(await bench.receipts()) == len(slow.sent) == 1
    assert await bench.state() == {}


@pytest.mark.usefixtures("landing")
async def test_a_stop_lets_a_receipt_be_written(redis_log: RedisLog) -> None:
    """A server that is slow to take the receipt of what was sent does not make it go out twice."""
    slow = Slow()
    bench = Bench(redis_log, outlets(slow))
    await bench.post([an_intent()])
    task = asyncio.create_task(Sender(await bench.session(), bench.desk).run())
    await until(lambda: slow.sent)
    # Longer than the time after which whoever ends a task says so again.
    await execute(redis_log.redis, "CLIENT", "PAUSE", 300, "WRITE")
    slow.allowed.set()
    await end([task])
    assert [one.status for one in await bench.receipts()] == ["delivered"]
    assert await bench.state() == {}


async def test_a_stop_does_not_wait_for_ever(any_log: Log) -> None:
    """An answer that does not come is waited for a while; the alert stays and goes out again."""
    stuck = Stuck()
    bench = Bench(any_log, outlets(stuck))
    await bench.post([an_intent()])
    async with asyncio.timeout(PATIENCE_S):
        async with bench.sending():
            await until(lambda: stuck.sent)
    assert await bench.receipts() == []
    assert list(await bench.state()) == [Waiting(an_intent(), due_at=0).field]


def tries(session: Session) -> list[int]:
    """How often each alert that waits has been tried, as far as it is committed."""
    waiting = [Waiting.parse(text) for text in session.state.values()]
    return [one.attempts for one in waiting if isinstance(one, Waiting)]


async def test_tries_are_counted_across_a_restart(any_log: Log) -> None:
    """What waits goes on where it stood: after two failed tries two are left of four."""
    third = asyncio.Event()

    class Failing(Scripted):
        async def send(self, intent: AlertIntent) -> Outcome:
            # What is stopped before it is committed counts as never tried: nothing goes out then.
            if len(self.sent) == 2:
                await third.wait()
            return await super().send(intent)

    failing = Failing("desk", [Retry("HTTP 500")] * 4)
    bench = Bench(any_log, {"desk": Outlet(failing, QUICK)})
    await bench.post([an_intent("desk")])
    async with bench.sending() as session:
        await until(lambda: tries(session) == [2])
    third.set()
    async with bench.sending():
        (receipt,) = await bench.receipts_of(1)
    assert (receipt.status, receipt.attempts) == ("failed", 4)
    assert len(failing.sent) == 4


async def test_a_former_owner_writes_nothing(any_log: Log) -> None:
    """A sender whose lease went to another ends, and its receipt is not written."""
    bench = Bench(any_log, outlets(Scripted()))
    former = Sender(await bench.session(), bench.desk)
    await bench.session()
    await bench.post([an_intent()])
    with pytest.raises(LeaseLost):
        await former.run()
    assert await bench.receipts() == []


async def test_unreadable_state_is_dead_lettered(any_log: Log) -> None:
    """A waiting alert that this version cannot read is kept as a dead letter, not tripped over."""
    bench = Bench(any_log, outlets(Scripted()))
    session = await bench.session()
    waiting = Waiting(an_intent(), due_at=0)
    await session.commit([], {waiting.field: waiting.text(), "@other": "{"})
    async with bench.sending():
        await bench.receipts_of(1)
    (letter,) = await bench.dead_letters()
    assert (letter.entry, letter.body) == ("@other", ["{"])
    assert await bench.state() == {}


class Moody:
    """Delivers, postpones, rejects or hangs, as chance has it."""

    name = "desk"

    def __init__(self, chance: random.Random) -> None:
        self.sent: set[str] = set()
        self._chance = chance

    async def send(self, intent: AlertIntent) -> Outcome:
        self.sent.add(intent.id)
        await asyncio.sleep(self._chance.choice([0, 0, 0.001, 0.004]))
        draw = self._chance.random()
        if draw < 0.5:
            return Delivered()
        return Retry("not now") if draw < 0.9 else Rejected("never")

    async def close(self) -> None:
        """Nothing to give back."""


@pytest.mark.parametrize("seed", range(5))
async def test_killed_at_any_time_every_alert_ends_exactly_once(any_log: Log, seed: int) -> None:
    """Sixty alerts, a dozen kills at moments drawn by chance: one receipt each, none unsent."""
    chance = random.Random(seed)
    moody = Moody(chance)
    schedule = Schedule(first_s=0.002, factor=1.5, longest_s=0.01, attempts_max=50)
    bench = Bench(any_log, {"desk": Outlet(moody, schedule, in_flight_max=5)})
    posted = intents(60, "desk")
    for start in range(0, 60, 5):
        await bench.post(posted[start : start + 5])
        async with bench.crashing():
            await asyncio.sleep(chance.uniform(0, 0.01))
    async with bench.sending():
        receipts = await bench.receipts_of(60)
    assert sorted(receipt.cause for receipt in receipts) == sorted(one.id for one in posted)
    assert moody.sent == {one.id for one in posted}
    assert await bench.state() == {}
