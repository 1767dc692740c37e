"""A failover to a replica that lags, as a subscriber without a group sees it."""

from pathlib import Path

from shared.bus.connection import execute
from shared.bus.consumer import LogBroker
from shared.bus.keys import Keys
from shared.bus.log import Lease
from shared.bus.redis_log import RedisLog
from tests.bus.consuming import Notes, running, until
from tests.bus.test_failover import House, caught_up, house, write
from tests.bus.toys import lease, tick

__all__ = ["house"]
KEYS = Keys("failover", partitions=2)
AHEAD_MS = 30_000


def address(log: RedisLog) -> str:
    """Where the house's door is."""
    path = log.redis.connection_pool.connection_kwargs["path"]
    return f"unix://{Path(path)}"


async def test_subscriber_without_a_group_goes_back_with_the_log(house: House) -> None:
    """The old master's clock was 30 s ahead: what the new one writes has smaller ids than 4's."""
    held: Lease = await lease(house.log)
    notes = Notes()

    def subscribe(broker: LogBroker) -> None:
        broker.subscribe("candle_closed")(notes.take)

    async with running(address(house.log), KEYS, subscribe):
        assert await write(house.log, held, 0, range(1, 4)) == "OK"
        await until(lambda: notes.of(0) == [1, 2, 3])
        await caught_up(house)
        house.stream.hold_replies()
        seconds, _ = await house.master.client.time()
        key = KEYS.topic(0, "candle_closed")
        fields = [str(value) for value in tick(4).wire()]
        await execute(house.master.client, "XADD", key, f"{seconds * 1000 + AHEAD_MS}-0", *fields)
        await until(lambda: notes.of(0) == [1, 2, 3, 4])
        await house.fall_back()
        assert await write(house.log, held, 1, range(5, 7)) == "OK"
        await until(lambda: notes.of(0) == [1, 2, 3, 4, 5, 6])
        assert await write(house.log, held, 2, range(7, 8)) == "OK"
        await until(lambda: notes.of(0) == [1, 2, 3, 4, 5, 6, 7])
