"""The sender: nothing lost, nothing marked sent before it was, nobody held up by another."""

import asyncio
import itertools

import pytest

from services.notifier.adapters.outlet import Outlet
from services.notifier.domain.delivery import Outcome
from services.notifier.domain.intents import AlertIntent
from services.notifier.domain.pacing import Pace
from shared.bus.log import Log
from shared.clock import SystemClock
from shared.events import Heartbeat, Watermark
from tests.notifier.bench import NEVER_S, QUICK, Bench, Scripted, Stuck, outlets, until, webhook
from tests.notifier.receiver import Answer, Request, receiving
from tests.notifier.samples import AT, an_intent, intents


async def test_console_alerts_get_their_receipts_in_order(any_log: Log) -> None:
    """A receipt repeats the signal's time and position and says when and after how many tries."""
    console = Scripted()
    bench = Bench(any_log, outlets(console))
    posted = intents(40)
    await bench.post(posted)
    began = bench.desk.clock.now()
    async with bench.sending():
        receipts = await bench.receipts_of(40)
        delivered = {"channel": "console", "status": "delivered"}
        await until(lambda: bench.count("tideline_alerts_total", **delivered) == 40)
    assert console.sent == [intent.id for intent in posted]
    assert [receipt.cause for receipt in receipts] == [intent.id for intent in posted]
    first = receipts[0]
    assert (first.at, first.pos, first.symbol) == (AT, 1, "EURUSD")
    assert (first.channel, first.signal) == ("console", posted[0].signal)
    assert (first.status, first.attempts, first.text) == ("delivered", 1, posted[0].text)
    assert first.fired_at >= began
    assert await bench.state() == {}


async def test_alerts_posted_later_are_sent_too(any_log: Log) -> None:
    """The sender waits for what comes."""
    bench = Bench(any_log, outlets(Scripted()))
    first, second = intents(2)
    async with bench.sending():
        await bench.post([first])
        await bench.receipts_of(1)
        await bench.post([second])
        receipts = await bench.receipts_of(2)
    assert [receipt.cause for receipt in receipts] == [first.id, second.id]


async def test_temporary_failure_is_tried_again_with_the_same_key(any_log: Log) -> None:
    """500 twice, then 204: one receipt after three tries."""
    answers = [Answer(500), Answer(503), Answer(204)]
    async with receiving(lambda _: answers.pop(0)) as receiver:
        channel = webhook(receiver)
        bench = Bench(any_log, {"desk": Outlet(channel, QUICK)})
        await bench.post([an_intent("desk")])
        async with bench.sending():
            (receipt,) = await bench.receipts_of(1)
        await channel.close()
    assert (receipt.status, receipt.attempts, receipt.detail) == ("delivered", 3, "HTTP 204")
    assert receiver.keys == [an_intent("desk").id] * 3
    assert await bench.state() == {}
    assert bench.count("tideline_alert_retries_total", channel="desk") == 2
    assert bench.count("tideline_alerts_waiting", channel="desk") == 0


async def test_final_answer_ends_the_alert(any_log: Log) -> None:
    """410 is not asked twice; the receipt says failed and why."""
    async with receiving(lambda _: Answer(410)) as receiver:
        channel = webhook(receiver)
        bench = Bench(any_log, {"desk": Outlet(channel, QUICK)})
        await bench.post([an_intent("desk")])
        async with bench.sending():
            (receipt,) = await bench.receipts_of(1)
            failed = {"channel": "desk", "status": "failed"}
            await until(lambda: bench.count("tideline_alerts_total", **failed) == 1)
        await channel.close()
    assert (receipt.status, receipt.attempts, receipt.detail) == ("failed", 1, "HTTP 410")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("answer", "detail"), [(Answer(500), "HTTP 500"), (Answer(reset=True), "ReadError")]
)
async def test_giving_up_is_a_receipt_with_the_last_error(
    any_log: Log, answer: Answer, detail: str
) -> None:
    """After the last try the alert has failed, visibly."""
    async with receiving(lambda _: answer) as receiver:
        channel = webhook(receiver)
        bench = Bench(any_log, {"desk": Outlet(channel, QUICK)})
        await bench.post([an_intent("desk")])
        async with bench.sending():
            (receipt,) = await bench.receipts_of(1)
        await channel.close()
    assert (receipt.status, receipt.attempts) == ("failed", 4)
    assert receipt.detail == f"gave up after 4 tries: {detail}"
    assert len(receiver.requests) == 4
    assert await bench.state() == {}


async def test_silence_is_given_up_like_any_error(any_log: Log) -> None:
    """Nobody answers in time, four times over; no try is another alert."""
    async with receiving(lambda _: Answer(after_s=NEVER_S)) as receiver:
        channel = webhook(receiver, timeout_s=0.5)
        bench = Bench(any_log, {"desk": Outlet(channel, QUICK)})
        await bench.post([an_intent("desk")])
        async with bench.sending():
            (receipt,) = await bench.receipts_of(1)
        await channel.close()
    assert (receipt.status, receipt.attempts) == ("failed", 4)
    assert receipt.detail == "gave up after 4 tries: no answer within 0.5 s"
    # On a busy machine the time of a try may be over before its request is out.
    assert len(receiver.requests) <= 4
    assert {*receiver.keys} <= {an_intent("desk").id}
    assert await bench.state() == {}


async def test_retry_after_holds_the_whole_channel(any_log: Log) -> None:
    """A receiver that asks for a second gets nothing at all for a second, then everything."""
    arrived: list[float] = []
    clock = SystemClock()

    def script(_: Request) -> Answer:
        arrived.append(clock.elapsed())
        return Answer(429, {"Retry-After": "1"}) if len(arrived) == 1 else Answer(204)

    async with receiving(script) as receiver:
        channel = webhook(receiver)
        bench = Bench(any_log, {"desk": Outlet(channel, QUICK, in_flight_max=1)})
        await bench.post(intents(3, "desk"))
        async with bench.sending():
            receipts = await bench.receipts_of(3)
        await channel.close()
    assert arrived[1] - arrived[0] >= 0.99
    assert len(arrived) == 4
    assert {receipt.status for receipt in receipts} == {"delivered"}


async def test_a_dead_webhook_does_not_hold_up_the_console(any_log: Log) -> None:
    """While one channel hangs the other delivers, and what hangs is kept."""
    console, desk = Scripted(), Stuck("desk")
    bench = Bench(any_log, {"console": Outlet(console), "desk": Outlet(desk, in_flight_max=2)})
    await bench.post([*intents(5, "desk"), *intents(5)])
    async with bench.sending():
        receipts = await bench.receipts_of(5)
        await bench.post([an_intent(pos=99)])
        await bench.receipts_of(6)
        assert bench.count("tideline_alerts_waiting", channel="desk") == 5
    assert {receipt.channel for receipt in receipts} == {"console"}
    assert len(desk.sent) == 2
    assert sorted(await bench.state()) == sorted(f"@{one.id}" for one in intents(5, "desk"))
    assert bench.count("tideline_alerts_waiting", channel="desk") == 0


async def test_several_sends_are_under_way_at_once(any_log: Log) -> None:
    """Of twelve four at once, and receipts as they come: before the last are even answered."""
    first, rest, number = asyncio.Event(), asyncio.Event(), itertools.count()

    def script(_: Request) -> Answer:
        return Answer(gate=first if next(number) < 4 else rest)

    async with receiving(script) as receiver:
        channel = webhook(receiver)
        bench = Bench(any_log, {"desk": Outlet(channel, QUICK, in_flight_max=4)})
        await bench.post(intents(12, "desk"))
        async with bench.sending():
            await until(lambda: receiver.open_now == 4)
            first.set()
            await bench.receipts_of(4)
            assert len(receiver.requests) <= 8
            rest.set()
            await bench.receipts_of(12)
        await channel.close()
    assert receiver.open_max == 4


async def test_rate_of_a_channel_is_kept(any_log: Log) -> None:
    """Fifty a second and two at once: six alerts take at least four fiftieths."""
    desk = Scripted("desk")
    bench = Bench(any_log, {"desk": Outlet(desk, pace=Pace(per_second=50, burst=2))})
    await bench.post(intents(6, "desk"))
    clock = SystemClock()
    start = clock.elapsed()
    async with bench.sending():
        receipts = await bench.receipts_of(6)
    assert clock.elapsed() - start >= 4 / 50
    assert {(receipt.status, receipt.attempts) for receipt in receipts} == {("delivered", 1)}


async def test_alert_of_an_unknown_channel_fails_by_name(any_log: Log) -> None:
    """A channel taken out of the settings leaves receipts, not silence."""
    bench = Bench(any_log, outlets(Scripted()))
    await bench.post([an_intent("pager"), an_intent()])
    async with bench.sending():
        failed, delivered = sorted(await bench.receipts_of(2), key=lambda one: one.attempts)
    assert (failed.channel, failed.status, failed.attempts) == ("pager", "failed", 0)
    assert "no channel is named pager" in failed.detail
    assert delivered.status == "delivered"


async def test_too_many_waiting_alerts_push_out_the_oldest(any_log: Log) -> None:
    """What waits is bounded; whatever has to give way gets a receipt that says so."""
    desk = Stuck("desk")
    bench = Bench(any_log, {"desk": Outlet(desk, in_flight_max=1, waiting_max=3)})
    posted = intents(6, "desk")
    await bench.post(posted[:1])
    async with bench.sending():
        await until(lambda: desk.sent)
        await bench.post(posted[1:])
        receipts = await bench.receipts_of(2)
    assert [receipt.cause for receipt in receipts] == [posted[1].id, posted[2].id]
    assert {receipt.detail for receipt in receipts} == {
        "gave way to newer alerts: more than 3 wait"
    }
    assert len(await bench.state()) == 4


@pytest.mark.parametrize("error", [RuntimeError("bug"), asyncio.CancelledError()])
async def test_a_channel_that_breaks_is_tried_again_and_mutes_nobody(
    any_log: Log, error: BaseException
) -> None:
    """A bug in a channel costs retries and then a failed receipt, never the loop."""

    class Broken(Scripted):
        async def send(self, intent: AlertIntent) -> Outcome:
            raise error

    bench = Bench(any_log, {"desk": Outlet(Broken("desk"), QUICK), "console": Outlet(Scripted())})
    await bench.post([an_intent("desk"), an_intent()])
    async with bench.sending():
        console, desk = await bench.receipts_of(2)
    assert (console.channel, console.status) == ("console", "delivered")
    assert (desk.status, desk.attempts) == ("failed", 4)
    assert f"the channel broke: {error!r}" in desk.detail


async def test_unreadable_entries_are_dead_lettered(any_log: Log) -> None:
    """What is no intent is kept with its reason, and the next alert goes out."""
    bench = Bench(any_log, outlets(Scripted()))
    await any_log.append(0, "alert_intent", ["type", "alert_intent", "v", "7"])
    await any_log.append(0, "alert_intent", Heartbeat(symbol="*", at=AT, pos=3).wire())
    await any_log.append(0, "alert_intent", Watermark(symbol="*", at=AT, pos=4).wire())
    await bench.post([an_intent()])
    async with bench.sending():
        await bench.receipts_of(1)
    foreign, odd = await bench.dead_letters()
    assert foreign.reason == "alert_intent version '7' cannot be read, only 1"
    assert odd.reason.endswith("is no alert intent")
    assert {letter.stage for letter in (foreign, odd)} == {"sender"}
