"""Rule sets that users keep: every change is a version, nothing that ever was in force is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.signals.adapters.rule_rows import rule_rows, symbol_rows
from services.signals.adapters.tables import CONFIGS, RULES, SYMBOLS, VERSIONS
from services.signals.domain.rules import RuleSet
from shared.clock import Clock
from shared.events.base import micros, moment
from shared.store.store import Store

MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440}
DEFAULT_MINUTES = 15


class NameTaken(Exception):
    """A set of that name is kept already."""


class NotThere(Exception):
    """No set of that name is kept."""


class Changed(Exception):
    """Somebody else changed the set in between; ``revision`` is where it is now."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the set was changed in between and is at revision {revision} now")
        self.revision = revision


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored set; ``revision`` counts its changes, switching on and off included."""

    id: int
    rule_set: RuleSet
    is_active: bool
    revision: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Version:
    """What a set was from one change to the next."""

    revision: int
    version: str
    saved_at: int
    saved_by: str
    body: dict[str, Any]


class RuleStore:
    """The tables ``signal_configs``, ``signal_symbols``, ``signal_entry_rules`` and versions."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self) -> list[Kept]:
        """Every stored set, by name.

        Raises:
            StoreError: the tables cannot be used.
        """
        chosen = select(CONFIGS).where(CONFIGS.c.deleted_at.is_(None)).order_by(CONFIGS.c.name)
        async with self._store.reading() as connection:
            return [_kept(row) for row in await connection.execute(chosen)]

    async def active(self) -> list[RuleSet]:
        """The sets that are to be in force.

        Raises:
            StoreError: the tables cannot be used.
        """
        return [kept.rule_set for kept in await self.all() if kept.is_active]

    async def get(self, name: str) -> Kept:
        """One stored set.

        Raises:
            NotThere: there is none of that name.
            StoreError: the tables cannot be used.
        """
        async with self._store.reading() as connection:
            return _kept(await self._row(connection, name))

    async def create(self, rule_set: RuleSet, by: str, *, is_active: bool) -> Kept:
        """Keep a new set; one that was deleted goes on under its name.

        Raises:
            NameTaken: there is one.
            StoreError: the tables cannot be used.
        """
        async with self._store.writing() as connection:
            chosen = select(CONFIGS).where(CONFIGS.c.name == rule_set.name)
            row = (await connection.execute(chosen)).one_or_none()
            if row is not None and row.deleted_at is None:
                raise NameTaken(rule_set.name)
            now = self._now()
            if row is None:
                values = {"revision": 1, "created_at": now, "name": rule_set.name}
                values |= _values(rule_set, now, is_active=is_active)
                await connection.execute(CONFIGS.insert().values(values))
            else:
                values = {"revision": row.revision + 1, "created_at": now, "deleted_at": None}
                values |= _values(rule_set, now, is_active=is_active)
                await connection.execute(CONFIGS.update().where(CONFIGS.c.id == row.id), values)
            return await self._written(connection, rule_set, by)

    async def replace(self, rule_set: RuleSet, by: str, revision: int | None) -> Kept:
        """Put a set in place of the one of its name; ``revision`` is the one that was seen.

        Raises:
            NotThere: there is none of that name.
            Changed: it is not at that revision any more.
            StoreError: the tables cannot be used.
        """
        async with self._store.writing() as connection:
            row = await self._at(connection, rule_set.name, revision)
            values = _values(rule_set, self._now(), is_active=row.is_active)
            values["revision"] = row.revision + 1
            await connection.execute(CONFIGS.update().where(CONFIGS.c.id == row.id), values)
            return await self._written(connection, rule_set, by)

    async def switch(self, name: str, revision: int | None, *, is_active: bool) -> Kept:
        """Switch a set on or off.

        Raises:
            NotThere: there is none of that name.
            Changed: it is not at that revision any more.
            StoreError: the tables cannot be used.
        """
        async with self._store.writing() as connection:
            row = await self._at(connection, name, revision)
            if row.is_active != is_active:
                values = {
                    "is_active": is_active,
                    "revision": row.revision + 1,
                    "updated_at": self._now(),
                }
                await connection.execute(CONFIGS.update().where(CONFIGS.c.id == row.id), values)
            return _kept(await self._row(connection, name))

    async def delete(self, name: str, revision: int | None) -> None:
        """Take a set away; its versions and signals stay.

        Raises:
            NotThere: there is none of that name.
            Changed: it is not at that revision any more.
            StoreError: the tables cannot be used.
        """
        async with self._store.writing() as connection:
            row = await self._at(connection, name, revision)
            values = {"is_active": False, "revision": row.revision + 1, "deleted_at": self._now()}
            await connection.execute(CONFIGS.update().where(CONFIGS.c.id == row.id), values)

    async def versions(self, name: str) -> list[Version]:
        """What a set was, newest first.

        Raises:
            NotThere: there is none of that name.
            StoreError: the tables cannot be used.
        """
        async with self._store.reading() as connection:
            row = await self._row(connection, name)
            chosen = select(VERSIONS).where(VERSIONS.c.config_id == row.id)
            found = await connection.execute(chosen.order_by(VERSIONS.c.revision.desc()))
            return [
                Version(
                    one.revision,
                    one.version,
                    micros(one.saved_at),
                    one.saved_by,
                    orjson.loads(one.body),
                )
                for one in found
            ]

    async def _row(self, connection: AsyncConnection, name: str) -> Any:
        chosen = select(CONFIGS).where(CONFIGS.c.name == name, CONFIGS.c.deleted_at.is_(None))
        row = (await connection.execute(chosen)).one_or_none()
        if row is None:
            raise NotThere(name)
        return row

    async def _at(self, connection: AsyncConnection, name: str, revision: int | None) -> Any:
        row = await self._row(connection, name)
        if revision is not None and revision != row.revision:
            raise Changed(row.revision)
        return row

    async def _written(self, connection: AsyncConnection, rule_set: RuleSet, by: str) -> Kept:
        """Write what stands beside a set that was just written."""
        row = await self._row(connection, rule_set.name)
        for table, rows in ((SYMBOLS, symbol_rows(rule_set)), (RULES, rule_rows(rule_set))):
            await connection.execute(delete(table).where(table.c.config_id == row.id))
            await connection.execute(
                table.insert(), [{"config_id": row.id, **values} for values in rows]
            )
        version = {
            "config_id": row.id,
            "revision": row.revision,
            "version": row.version,
            "body": row.body,
            "saved_at": row.updated_at,
            "saved_by": by,
        }
        await connection.execute(VERSIONS.insert().values(version))
        return _kept(row)

    def _now(self) -> datetime:
        return moment(self._clock.now())


def _values(rule_set: RuleSet, now: datetime, *, is_active: bool) -> dict[str, Any]:
    return {
        "title": rule_set.title,
        "signal_type": rule_set.body.get("signal_type", "Intraday"),
        "is_active": is_active,
        "scan_interval_minutes": _interval(rule_set),
        "signals_a_day_max": rule_set.signals_a_day_max,
        "version": rule_set.version,
        "body": orjson.dumps(rule_set.body).decode(),
        "updated_at": now,
    }


def _interval(rule_set: RuleSet) -> int:
    """The shortest timeframe that a rule of the set decides on, in minutes."""
    frames: Sequence[str] = [
        rule["when"].get("timeframe", "15m") for rule in rule_set.body["rules"]
    ]
    return min((MINUTES.get(frame, DEFAULT_MINUTES) for frame in frames), default=DEFAULT_MINUTES)


def _kept(row: Any) -> Kept:
    return Kept(
        row.id,
        RuleSet.model_validate_json(row.body),
        row.is_active,
        row.revision,
        micros(row.created_at),
        micros(row.updated_at),
    )
