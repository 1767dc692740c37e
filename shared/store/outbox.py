"""The outbox: what a change of tables has to tell the log, written in the same transaction.

A change and what is told of it are committed together or not at all. A relay sends what is written
there afterwards, in order, at least once: whoever hears it must not mind hearing it twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple, NoReturn

import structlog
from redis.exceptions import RedisError
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.bus.redis_log import RedisLog
from shared.clock import Clock
from shared.events import ConfigRequested
from shared.events.base import moment
from shared.store.columns import UtcDateTime
from shared.store.errors import StoreError
from shared.store.store import Store

log = structlog.get_logger(__name__)

Send = Callable[[str], Awaitable[None]]
"""Tells one body to whom it concerns."""

CONFIG: Final = "config_requested"
_LOOK_S = 0.2
_AGAIN_S = 1.0
_BATCH = 100
# For whoever wants to know what was told lately.
_KEPT = timedelta(days=2)


def outbox_table(metadata: MetaData) -> Table:
    """The table ``outbox`` of a service; its migration creates the same columns."""
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("kind", String(40), nullable=False),
        Column("body", Text, nullable=False),
        Column("written_at", UtcDateTime, nullable=False),
        Column("sent_at", UtcDateTime, nullable=True, index=True),
    )


class Waiting(NamedTuple):
    """A row of the outbox that was not sent yet."""

    id: int
    kind: str
    body: str


class Outbox:
    """What is to be told, in a service's ``outbox`` table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def put(self, connection: AsyncConnection, kind: str, body: str) -> None:
        """Write what is to be told into the transaction of the change, after the change itself.

        After it, because whoever changes the same row next then stands behind in the outbox too.
        """
        row = {"kind": kind, "body": body, "written_at": moment(self._clock.now())}
        await connection.execute(self._table.insert().values(row))

    async def put_config(self, connection: AsyncConnection, request: ConfigRequested) -> None:
        """Write a request for a ``config`` entry on every spine."""
        await self.put(connection, CONFIG, request.model_dump_json())

    async def waiting(self, connection: AsyncConnection, kinds: Iterable[str]) -> list[Waiting]:
        """The first that were not sent yet."""
        table = self._table
        chosen = (
            select(table.c.id, table.c.kind, table.c.body)
            .where(table.c.sent_at.is_(None), table.c.kind.in_(kinds))
            .order_by(table.c.id)
            .limit(_BATCH)
        )
        return [Waiting(*row) for row in await connection.execute(chosen)]

    async def sent(self, connection: AsyncConnection, rows: list[int]) -> None:
        """Mark rows as sent, and forget what was sent long ago."""
        table, now = self._table, moment(self._clock.now())
        await connection.execute(table.update().where(table.c.id.in_(rows)).values(sent_at=now))
        await connection.execute(table.delete().where(table.c.sent_at < now - _KEPT))


class Relay:
    """Sends what stands in an outbox; of several replicas' relays one at a time is at work.

    ``sends`` are the ways to tell each kind. A kind that has none waits for a release that knows
    it.
    """

    def __init__(self, store: Store, outbox: Outbox, sends: Mapping[str, Send]) -> None:
        self._store = store
        self._outbox = outbox
        self._sends = sends

    async def run(self) -> NoReturn:
        """Look again and again; what cannot be sent now is sent later."""
        complaint = ""
        while True:
            try:
                while await self.relay():
                    pass
                complaint = ""
            except (RedisError, StoreError, OSError) as error:
                if str(error) != complaint:
                    complaint = str(error)
                    log.warning("outbox_waits", reason=complaint)
            await asyncio.sleep(_AGAIN_S if complaint else _LOOK_S)

    async def relay(self) -> int:
        """Send what waits, oldest first; how many were sent.

        Raises:
            StoreError: the tables cannot be used.
            RedisError: the log cannot; nothing is marked that was not sent.
        """
        async with self._store.reading() as connection:
            if not await self._outbox.waiting(connection, self._sends):
                return 0
        async with self._store.alone("outbox") as is_alone:
            return await self._send_all() if is_alone else 0

    async def _send_all(self) -> int:
        async with self._store.reading() as connection:
            told = await self._outbox.waiting(connection, self._sends)
        sent: list[int] = []
        try:
            for one in told:
                await self._sends[one.kind](one.body)
                sent.append(one.id)
        finally:
            if sent:
                async with self._store.writing() as connection:
                    await self._outbox.sent(connection, sent)
        return len(sent)


def config_sender(log_: RedisLog) -> Send:
    """Puts requests into the inbox of every partition, whose writer skips what is in force."""

    async def send(body: str) -> None:
        await log_.request_config(ConfigRequested.model_validate_json(body))

    return send
