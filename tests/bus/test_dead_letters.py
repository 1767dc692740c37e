"""What a stage steps over: too much of it, and what can be done with it afterwards."""

import asyncio
from dataclasses import replace

import pytest

from shared.bus.connection import execute
from shared.bus.dead_letters import DeadLetters
from shared.bus.keys import Keys
from shared.bus.log import START, BusError
from shared.bus.poison import dead_letter
from shared.bus.redis_log import RedisLog
from shared.bus.share import DeadShare, TooManyDead
from shared.bus.stage_worker import StageWorker
from shared.bus.tasks import end
from shared.bus.topics import StageName, Topic
from shared.clock import SystemClock
from shared.events import ConfigRequested, DeadLetter, Event
from shared.events.codec import Poison
from tests.bus.toys import COUNT, close, tick, write

PATIENCE_S = 60.0


def shares(checkpoint: dict[str, str] | None = None) -> DeadShare:
    return DeadShare("candles", 3, {} if checkpoint is None else checkpoint)


def test_half_is_not_too_much() -> None:
    """Of 100 entries 50 may be dead letters, 51 may not."""
    share = shares()
    assert share.take(50, 0, "") == {}
    assert share.take(50, 50, "bad") == {"dead": "100:50"}
    with pytest.raises(
        TooManyDead, match=r"^stage candles, partition 3 stops: 51 of the last 101 "
    ):
        share.take(1, 1, "bad")


def test_a_few_entries_say_nothing() -> None:
    """49 dead letters out of 49 entries are a bad start, no reason to stop; the 50th is one."""
    share = shares()
    for _ in range(49):
        share.take(1, 1, "bad")
    with pytest.raises(TooManyDead):
        share.take(1, 1, "bad")


def test_only_the_last_entries_count() -> None:
    """A million good ones do not excuse 101 bad ones out of 200."""
    share = shares()
    for _ in range(2_000):
        assert share.take(500, 0, "") == {}
    for _ in range(100):
        share.take(1, 1, "bad")
    with pytest.raises(TooManyDead, match="101 of the last 200 "):
        share.take(1, 1, "bad")


def test_a_restart_does_not_begin_to_count_anew() -> None:
    """The checkpoint knows; but a mended stage, which steps over nothing more, goes on."""
    share = shares({"dead": "60:30"})
    with pytest.raises(TooManyDead):
        share.take(2, 2, "bad")
    mended = shares({"dead": "50:49"})
    assert mended.take(100, 0, "") == {"dead": "150:49"}


def test_the_share_is_a_setting() -> None:
    """With a tenth, 6 of 60 may be dead letters and 7 may not; with all, a stage goes on."""
    strict = DeadShare("candles", 3, {}, 0.1)
    strict.take(54, 0, "")
    assert strict.take(6, 6, "bad") == {"dead": "60:6"}
    with pytest.raises(TooManyDead, match="7 of the last 61 "):
        strict.take(1, 1, "bad")
    patient = DeadShare("candles", 3, {}, 1.0)
    assert patient.take(500, 500, "bad") == {"dead": "500:500"}


async def test_a_stage_told_to_bear_all_goes_on(redis_log: RedisLog, keys: Keys) -> None:
    """Sixty dead letters out of sixty entries, and then a candle."""
    await write(redis_log, [tick(pos, 666) for pos in range(1, 61)])
    await write(redis_log, [close(61, 61)])
    spec = replace(COUNT, dead_share=1.0)
    worker = StageWorker(redis_log, spec, "w", SystemClock())
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(PATIENCE_S):
        while not await redis_log.read({(0, "candle_closed"): START}, count=1, block_ms=1_000):
            pass
    await end([running])
    assert await redis_log.redis.xlen(keys.topic(0, "dead_letter")) == 60


async def test_a_stage_stops_when_most_of_it_is_poison(redis_log: RedisLog, keys: Keys) -> None:
    """Nothing of the commit that would be too much is written, and the loop says why it ended."""
    await write(redis_log, [tick(pos, 666) for pos in range(1, 61)])
    worker = StageWorker(redis_log, COUNT, "w", SystemClock())
    why = r"^stage candles, partition 0 stops: 60 of the last 60 entries cannot be decided \(undec"
    with pytest.raises(TooManyDead, match=why):
        await asyncio.wait_for(worker.run(), PATIENCE_S)
    assert worker.progress.stopped is not None
    assert worker.progress.stopped.endswith("start again, nothing was stepped over")
    assert await redis_log.redis.xlen(keys.topic(0, "dead_letter")) == 0


async def letter(log: RedisLog, event: Event | Poison, place: tuple[StageName, Topic]) -> str:
    """Leave a dead letter in partition 1 and return its reference."""
    poison = event
    if not isinstance(poison, Poison):
        poison = Poison(tuple(map(str, poison.wire())), "broke")
    written: DeadLetter = dead_letter(*place, "5-0", poison)
    return f"1/{await log.append(1, 'dead_letter', written.wire())}"


def request() -> ConfigRequested:
    return ConfigRequested(
        symbol="*", at=1, pos=0, kind="rules", name="mine", version="2", body={"a": 1}
    )


async def test_a_request_goes_back_to_its_inbox(redis_log: RedisLog, keys: Keys) -> None:
    """Its very fields, at the end; the letter is gone, so it goes back once."""
    letters = DeadLetters(redis_log.redis, keys)
    kept = await letters.get(await letter(redis_log, request(), ("feed", "inbox")))
    entry = await letters.requeue(kept)
    ((found, fields),) = await execute(redis_log.redis, "XRANGE", keys.topic(1, "inbox"), "-", "+")
    assert (found, fields) == (entry, [str(value) for value in request().wire()])
    assert [one async for one in letters.all()] == []
    with pytest.raises(BusError, match="any more"):
        await letters.requeue(kept)


@pytest.mark.parametrize(
    ("event", "place", "why"),
    [
        (tick(1), ("candles", "tick"), "tick has one order, and the other stages have decided"),
        (tick(1), ("feed", "feed"), "it is a price that was refused when it came"),
        (tick(1), ("feed", "inbox"), "inbox takes no tick"),
        (Poison(("a", "b"), "foreign"), ("feed", "inbox"), "not an event: the first two fields"),
        (Poison(("a", "b" * 99_999), "large"), ("feed", "inbox"), "too large to be kept whole"),
    ],
)
async def test_what_cannot_go_back_is_refused_with_the_reason(
    redis_log: RedisLog, keys: Keys, event: Event | Poison, place: tuple[StageName, Topic], why: str
) -> None:
    """And the letter stays where it is."""
    letters = DeadLetters(redis_log.redis, keys)
    kept = await letters.get(await letter(redis_log, event, place))
    with pytest.raises(BusError, match=why):
        await letters.requeue(kept)
    assert [one async for one in letters.all()] == [kept]


@pytest.mark.parametrize("reference", ["", "9/1-0", "1/1-0", "1/x", "one/1-0"])
async def test_a_letter_that_is_not_there_is_named(
    redis_log: RedisLog, keys: Keys, reference: str
) -> None:
    """With the way to those that are."""
    with pytest.raises(BusError, match=f"no dead letter {reference}; `tideline dlq list`"):
        await DeadLetters(redis_log.redis, keys).get(reference)
