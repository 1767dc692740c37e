"""The table of generated signals: written from the log, read and judged by people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.signals.adapters.tables import CONFIGS, OFFSETS, SIGNALS
from shared.clock import Clock
from shared.events import SignalGenerated
from shared.events.base import micros, moment
from shared.store.store import Store

Status = Literal["New", "Executed", "Rejected"]
Long = Literal["Long", "Short"]

Places = Mapping[int, tuple[str, str]]
"""Entry id and incarnation up to which a partition's signals have been written."""


class UnknownSignal(Exception):
    """No signal has that id."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A signal as the log told it, and what people have made of it."""

    id: str
    event: dict[str, Any]
    direction: Long
    status: Status
    status_at: int | None
    status_by: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which signals; what is None is not looked at. ``after`` is the last one of the page before,
    by time and id."""

    symbol: str | None = None
    config: str | None = None
    rule: str | None = None
    status: Status | None = None
    direction: Long | None = None
    since: int | None = None
    until: int | None = None
    after: tuple[int, str] | None = None

    def clause(self) -> ColumnElement[bool]:
        """As a condition on the table."""
        table = SIGNALS.c
        found: list[ColumnElement[bool]] = [SIGNALS.c.id.is_not(None)]
        for column in ("symbol", "config", "rule", "status", "direction"):
            value = getattr(self, column)
            if value is not None:
                found.append(table[column] == value)
        if self.since is not None:
            found.append(table.signal_time >= moment(self.since))
        if self.until is not None:
            found.append(table.signal_time < moment(self.until))
        if self.after is not None:
            at, last = moment(self.after[0]), self.after[1]
            found.append(
                or_(table.signal_time < at, and_(table.signal_time == at, table.id < last))
            )
        return and_(*found)


@dataclass(frozen=True, slots=True)
class Count:
    """How many signals of a day (of their own time, UTC), rule and symbol have a status."""

    day: str
    config: str
    rule: str
    symbol: str
    status: Status
    count: int


class SignalStore:
    """The tables ``generated_signals`` and ``signal_offsets``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def places(self) -> Places:
        """How far each partition has been written down.

        Raises:
            StoreError: the tables cannot be used.
        """
        async with self._store.reading() as connection:
            rows = await connection.execute(select(OFFSETS))
            return {row.partition: (row.entry, row.incarnation) for row in rows}

    async def write(self, signals: Sequence[SignalGenerated], places: Places) -> None:
        """Keep signals that are not there yet, and how far they reach, together.

        Raises:
            StoreError: the tables cannot be used; nothing is written.
        """
        async with self._store.writing() as connection:
            names = {signal.config for signal in signals}
            chosen = select(CONFIGS.c.name, CONFIGS.c.id).where(CONFIGS.c.name.in_(names))
            ids = {row.name: row.id for row in await connection.execute(chosen)}
            rows = [_row(signal, ids.get(signal.config)) for signal in signals]
            if rows:
                await connection.execute(_insert(connection, SIGNALS), rows)
            for partition, (entry, incarnation) in places.items():
                values = {"entry": entry, "incarnation": incarnation}
                put = _insert(connection, OFFSETS, replacing=values)
                await connection.execute(put.values(partition=partition, **values))

    async def get(self, signal_id: str) -> Kept:
        """One signal.

        Raises:
            UnknownSignal: there is none of that id.
            StoreError: the tables cannot be used.
        """
        async with self._store.reading() as connection:
            return await self._one(connection, signal_id)

    async def page(self, wanted: Wanted, limit: int) -> list[Kept]:
        """The newest signals that are wanted, newest first.

        Raises:
            StoreError: the tables cannot be used.
        """
        order = (SIGNALS.c.signal_time.desc(), SIGNALS.c.id.desc())
        chosen = select(SIGNALS).where(wanted.clause()).order_by(*order).limit(limit)
        async with self._store.reading() as connection:
            return [_kept(row) for row in await connection.execute(chosen)]

    async def judge(self, signal_id: str, status: Status, by: str) -> Kept:
        """Say what became of a signal.

        Raises:
            UnknownSignal: there is none of that id.
            StoreError: the tables cannot be used.
        """
        async with self._store.writing() as connection:
            known = await self._one(connection, signal_id)
            if known.status != status:
                values = {
                    "status": status,
                    "status_at": moment(self._clock.now()),
                    "status_by": by,
                }
                changed = SIGNALS.update().where(SIGNALS.c.id == signal_id)
                await connection.execute(changed.values(values))
            return await self._one(connection, signal_id)

    async def counts(self, wanted: Wanted) -> list[Count]:
        """How many there are by day, rule, symbol and status, newest day first.

        Raises:
            StoreError: the tables cannot be used.
        """
        table = SIGNALS.c
        async with self._store.reading() as connection:
            if connection.dialect.name == "sqlite":
                day = func.strftime("%Y-%m-%d", table.signal_time)
            else:
                day = func.to_char(func.timezone("UTC", table.signal_time), "YYYY-MM-DD")
            named = (day.label("day"), table.config, table.rule, table.symbol, table.status)
            chosen = select(*named, func.count()).where(wanted.clause()).group_by(*named)
            rows = [Count(*row) for row in await connection.execute(chosen)]
        keys = sorted(rows, key=lambda one: (one.config, one.rule, one.symbol, one.status))
        return sorted(keys, key=lambda one: one.day, reverse=True)

    async def _one(self, connection: AsyncConnection, signal_id: str) -> Kept:
        chosen = select(SIGNALS).where(SIGNALS.c.id == signal_id)
        row = (await connection.execute(chosen)).one_or_none()
        if row is None:
            raise UnknownSignal(signal_id)
        return _kept(row)


def _insert(
    connection: AsyncConnection, table: Any, replacing: Mapping[str, Any] | None = None
) -> Any:
    """An insert that leaves rows of the same key alone, or puts these values into them."""
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    made: Any = kind.insert(table)
    if replacing is None:
        return made.on_conflict_do_nothing()
    return made.on_conflict_do_update(index_elements=[table.c.partition], set_=dict(replacing))


def _row(signal: SignalGenerated, config_id: int | None) -> dict[str, Any]:
    expires_at = signal.expires_at
    return {
        "id": signal.id,
        "config_id": config_id,
        "config": signal.config,
        "rule": signal.rule,
        "rule_version": signal.rule_version,
        "symbol": signal.symbol,
        "signal_time": moment(signal.at),
        "direction": signal.direction.title(),
        "price": signal.price,
        "timeframe": signal.timeframe,
        "status": "New",
        "expires_at": None if expires_at is None else moment(expires_at),
        "body": orjson.dumps(signal.model_dump(mode="json")).decode(),
    }


def _kept(row: Any) -> Kept:
    return Kept(
        row.id,
        orjson.loads(row.body),
        row.direction,
        row.status,
        None if row.status_at is None else micros(row.status_at),
        row.status_by,
    )
