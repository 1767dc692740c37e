"""What workers have done, as seen from outside them."""

from shared.bus.accounts import Account, Accounts, total
from shared.bus.log import Commit
from shared.bus.outputs import outputs_of
from shared.bus.progress import Progress
from shared.bus.redis_log import RedisLog
from tests.bus.toys import tick


def done(partition: int, replies: str, *, waits: int = 0) -> Progress:
    """A loop that has had these replies in a partition, which it gained once."""
    progress = Progress("candles")
    for reply in replies.split():
        progress.committed(reply, Commit("candles", partition, "1:a", 0, "tx", {}))  # type: ignore[arg-type]
    progress.moved([partition], [])
    for pos in range(waits):
        progress.turned(1.0, {partition: pos})
    return progress


async def test_accounts_of_all_workers_are_added_up(redis_log: RedisLog) -> None:
    """Partition 1 moved from one worker to another; a third one is not counted as alive."""
    accounts = Accounts(redis_log.redis, redis_log.keys)
    await accounts.leave("one", done(1, "OK OK DUP CONFLICT", waits=2))
    await accounts.leave("two", done(1, "OK"))
    await accounts.leave("gone", done(1, "OK OK OK"))
    for worker in ("one", "two"):
        await redis_log.heartbeat("candles", worker, 600_000)
    found = await accounts.read("candles")
    both = Account({"CONFLICT": 1, "DUP": 1, "OK": 3}, gained=2, lost=0, waits=2, dead=0)
    assert found == {1: both}
    assert await accounts.read("signals") == {}


async def test_an_account_goes_by_itself(redis_log: RedisLog) -> None:
    """Nothing is left of a worker that tells no more."""
    await Accounts(redis_log.redis, redis_log.keys).leave("one", done(0, "OK"))
    left = await redis_log.redis.ttl(redis_log.keys.account("candles", "one"))
    assert 0 < left <= 20


def test_what_a_lost_answer_wrote_is_counted() -> None:
    """DUP is the answer to a commit that is written already: by the try before this one."""
    progress = Progress("candles")
    outputs = outputs_of([tick(1), tick(2)])
    for reply in ("OK", "DUP", "FENCED", "CONFLICT"):
        made = Commit("candles", 0, "1:a", 0, "tx", {}, outputs=outputs)
        progress.committed(reply, made)
    assert progress.outputs == {"tick": 4}


def test_nobody_has_done_nothing() -> None:
    """The sum of no accounts is one without anything in it."""
    assert total([]) == Account()
