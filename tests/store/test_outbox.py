"""What a change of tables tells the log: with the change or not at all, in order, at least once."""

import asyncio
from contextlib import suppress

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import select

from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.events import ConfigRequested
from shared.events.base import moment
from shared.events.codec import decode
from shared.store.outbox import CONFIG, Outbox, Relay, config_sender
from shared.store.store import Store
from tests.conftest import Database
from tests.store.shelves import OUTBOX, SHELF, store

PATIENCE_S = 60.0


class Wall:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.time = 1_795_000_000_000_000

    def now(self) -> int:
        return self.time

    def elapsed(self) -> float:
        return self.time / 1e6


class Heard:
    """Somebody who is told, and may be away."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.away_after: int | None = None

    async def send(self, body: str) -> None:
        if self.away_after is not None and len(self.bodies) >= self.away_after:
            raise RedisConnectionError("gone")
        await asyncio.sleep(0)
        self.bodies.append(body)


async def change(shelves: Store, outbox: Outbox, name: str) -> None:
    """A change that tells of itself."""
    async with shelves.writing() as connection:
        await connection.execute(SHELF.insert().values(name=name, made_at=moment(1)))
        await outbox.put(connection, "shelf", name)


async def unsent(shelves: Store) -> list[str]:
    async with shelves.reading() as connection:
        chosen = select(OUTBOX.c.body).where(OUTBOX.c.sent_at.is_(None)).order_by(OUTBOX.c.id)
        return list(await connection.scalars(chosen))


async def test_changes_are_told_in_their_order(shelves: Store) -> None:
    """More than one batch, each once, and marked as sent."""
    outbox, heard = Outbox(OUTBOX, Wall()), Heard()
    expected = [f"s{number:03}" for number in range(130)]
    async with shelves.writing() as connection:
        for name in expected:
            await outbox.put(connection, "shelf", name)
    relay = Relay(shelves, outbox, {"shelf": heard.send})
    assert [await relay.relay() for _ in range(3)] == [100, 30, 0]
    assert heard.bodies == expected
    assert await unsent(shelves) == []


async def test_a_change_that_fails_tells_nothing(shelves: Store) -> None:
    """The change and what is told of it are one transaction."""
    outbox, heard = Outbox(OUTBOX, Wall()), Heard()
    await change(shelves, outbox, "once")
    with suppress(Exception):
        await change(shelves, outbox, "once")
    relay = Relay(shelves, outbox, {"shelf": heard.send})
    await relay.relay()
    assert heard.bodies == ["once"]


async def test_what_could_not_be_told_is_told_later(shelves: Store) -> None:
    """What was sent before the log went away is not sent again, the rest waits for it."""
    outbox, heard = Outbox(OUTBOX, Wall()), Heard()
    for name in ("a", "b", "c"):
        await change(shelves, outbox, name)
    relay = Relay(shelves, outbox, {"shelf": heard.send})
    heard.away_after = 1
    with pytest.raises(RedisConnectionError):
        await relay.relay()
    assert await unsent(shelves) == ["b", "c"]
    heard.away_after = None
    assert await relay.relay() == 2
    assert heard.bodies == ["a", "b", "c"]


async def test_relays_of_several_replicas_take_turns(shelves: Store, database: Database) -> None:
    """Together they tell everything once, in order."""
    outbox, heard = Outbox(OUTBOX, Wall()), Heard()
    expected = [f"s{number:02}" for number in range(30)]
    for name in expected:
        await change(shelves, outbox, name)
    other = store(database)
    relays = [Relay(one, outbox, {"shelf": heard.send}) for one in (shelves, other)]
    try:
        while await unsent(shelves):
            await asyncio.gather(*(relay.relay() for relay in relays))
        assert heard.bodies == expected
    finally:
        await other.close()


async def test_kinds_that_nobody_knows_wait(shelves: Store) -> None:
    """A row of another release is neither lost nor in the way."""
    outbox, heard = Outbox(OUTBOX, Wall()), Heard()
    async with shelves.writing() as connection:
        await outbox.put(connection, "unheard-of", "later")
        await outbox.put(connection, "shelf", "now")
    relay = Relay(shelves, outbox, {"shelf": heard.send})
    assert await relay.relay() == 1
    assert heard.bodies == ["now"]
    assert await unsent(shelves) == ["later"]


async def test_what_was_told_is_forgotten_after_two_days(shelves: Store) -> None:
    """The table does not grow for ever."""
    clock, heard = Wall(), Heard()
    outbox = Outbox(OUTBOX, clock)
    relay = Relay(shelves, outbox, {"shelf": heard.send})
    await change(shelves, outbox, "old")
    await relay.relay()
    clock.time += 3 * 86_400_000_000
    await change(shelves, outbox, "new")
    await relay.relay()
    async with shelves.reading() as connection:
        assert list(await connection.scalars(select(OUTBOX.c.body))) == ["new"]


async def test_a_request_reaches_every_partition(shelves: Store, redis_log: RedisLog) -> None:
    """A configuration that was written into the tables arrives in all inboxes by itself."""
    outbox = Outbox(OUTBOX, SystemClock())
    request = ConfigRequested(
        symbol="*", at=1, pos=0, kind="rules", name="mine", version="v1", body={"a": [1, 2]}
    )
    async with shelves.writing() as connection:
        await outbox.put_config(connection, request)
    relay = Relay(shelves, outbox, {CONFIG: config_sender(redis_log)})
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await unsent(shelves):  # noqa: ASYNC110 a table has no event
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.wait([running])
    for partition in range(redis_log.partitions):
        raw = await redis_log.read({(partition, "inbox"): "0-0"}, count=10, block_ms=0)
        assert [event for _, event in decode(raw[(partition, "inbox")])] == [request]
