"""Watchlists in tables. Every change tells of itself through the outbox."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import and_, delete, distinct, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.adapters.tables import OUTBOX, SYMBOLS, USER_WATCHLIST, WATCHLISTS
from services.ingest.domain.watching import Count
from services.ingest.domain.watchlists import (
    ENTRIES_MAX,
    LISTS_MAX,
    Entry,
    ListExists,
    NoSuchEntry,
    NoSuchList,
    TooMany,
    Watchlist,
)
from shared.clock import Clock
from shared.events.base import micros, moment
from shared.store.outbox import Outbox
from shared.store.store import Store
from shared.store.upsert import upsert

CHANGED: Final = "watchlists_changed"

_ENTRIES = (
    select(
        USER_WATCHLIST.c.watchlist_id,
        SYMBOLS.c.symbol,
        USER_WATCHLIST.c.is_active,
        USER_WATCHLIST.c.added_at,
    )
    .join(SYMBOLS)
    .order_by(USER_WATCHLIST.c.added_at, SYMBOLS.c.symbol)
)


class Watchlists:
    """All users' lists. Every call is one transaction.

    Raises:
        StoreError: the tables cannot be used; every method may.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._outbox = Outbox(OUTBOX, clock)

    async def counts(self) -> list[Count]:
        """How many users' active entries name each symbol."""
        chosen = (
            select(
                SYMBOLS.c.symbol,
                func.count(distinct(WATCHLISTS.c.user_id)),
                func.min(USER_WATCHLIST.c.added_at, type_=USER_WATCHLIST.c.added_at.type),
                SYMBOLS.c.is_active,
            )
            .select_from(USER_WATCHLIST)
            .join(SYMBOLS)
            .join(WATCHLISTS)
            .where(USER_WATCHLIST.c.is_active)
            .group_by(SYMBOLS.c.symbol, SYMBOLS.c.is_active)
        )
        async with self._store.reading() as connection:
            rows = await connection.execute(chosen)
            return [
                Count(symbol, users, micros(since), is_on) for symbol, users, since, is_on in rows
            ]

    async def lists(self, user: str) -> list[Watchlist]:
        """A user's lists by name."""
        async with self._store.reading() as connection:
            return await _lists(connection, user)

    async def get(self, user: str, name: str) -> Watchlist:
        """One list.

        Raises:
            NoSuchList: there is none of that name.
        """
        async with self._store.reading() as connection:
            return await _one(connection, user, name)

    async def create(self, user: str, name: str, symbols: Sequence[str]) -> Watchlist:
        """A new list with active entries of these symbols.

        Raises:
            ListExists: the user has one of that name.
            TooMany: the user has too many, or these are too many symbols.
        """
        async with self._store.writing() as connection:
            mine = select(func.count()).select_from(WATCHLISTS).where(WATCHLISTS.c.user_id == user)
            if (await connection.scalar(mine) or 0) >= LISTS_MAX:
                raise TooMany(f"{LISTS_MAX} lists is the most that a user may have")
            row = {"user_id": user, "name": name, "made_at": moment(self._clock.now())}
            try:
                async with connection.begin_nested():
                    await connection.execute(insert(WATCHLISTS).values(row))
            except IntegrityError:
                raise ListExists(name) from None
            number = await _number(connection, user, name)
            for symbol in dict.fromkeys(symbols):
                await self._put(connection, number, symbol, is_active=True)
            await self._told(connection, user)
            return await _one(connection, user, name)

    async def rename(self, user: str, name: str, new: str) -> Watchlist:
        """The list under another name.

        Raises:
            NoSuchList: there is none of that name.
            ListExists: the user has one of the new name.
        """
        async with self._store.writing() as connection:
            number = await _number(connection, user, name)
            try:
                async with connection.begin_nested():
                    await connection.execute(
                        update(WATCHLISTS).where(WATCHLISTS.c.id == number).values(name=new)
                    )
            except IntegrityError:
                raise ListExists(new) from None
            return await _one(connection, user, new)

    async def remove(self, user: str, name: str) -> None:
        """Take a list away with all its entries.

        Raises:
            NoSuchList: there is none of that name.
        """
        async with self._store.writing() as connection:
            number = await _number(connection, user, name)
            await connection.execute(delete(WATCHLISTS).where(WATCHLISTS.c.id == number))
            await self._told(connection, user)

    async def put(self, user: str, name: str, symbol: str, *, is_active: bool) -> bool:
        """Put an entry on a list, or switch it on or off; whether it is new.

        Raises:
            NoSuchList: there is none of that name.
            TooMany: the list is full.
        """
        async with self._store.writing() as connection:
            number = await _number(connection, user, name)
            is_new = await self._put(connection, number, symbol, is_active=is_active)
            await self._told(connection, user)
            return is_new

    async def switch(self, user: str, name: str, symbol: str, *, is_active: bool) -> Entry:
        """Switch an entry on or off.

        Raises:
            NoSuchList: there is none of that name.
            NoSuchEntry: the symbol is not on it.
        """
        async with self._store.writing() as connection:
            one = await _entry(connection, await _number(connection, user, name), symbol)
            await connection.execute(update(USER_WATCHLIST).where(one).values(is_active=is_active))
            await self._told(connection, user)
            row = (await connection.execute(_ENTRIES.where(one))).one()
            return _as_entry(row)

    async def drop(self, user: str, name: str, symbol: str) -> None:
        """Take an entry off a list.

        Raises:
            NoSuchList: there is none of that name.
            NoSuchEntry: the symbol is not on it.
        """
        async with self._store.writing() as connection:
            one = await _entry(connection, await _number(connection, user, name), symbol)
            await connection.execute(delete(USER_WATCHLIST).where(one))
            await self._told(connection, user)

    async def switch_symbol(self, symbol: str, *, is_active: bool) -> None:
        """Let a symbol be watched, or by nobody, whatever the lists say."""
        async with self._store.writing() as connection:
            row = {"symbol": symbol, "is_active": is_active}
            await upsert(connection, SYMBOLS, row, ["symbol"], ["is_active"])
            await self._told(connection, "*")

    async def switched_off(self) -> set[str]:
        """The symbols that are watched by nobody, whatever the lists say."""
        async with self._store.reading() as connection:
            chosen = select(SYMBOLS.c.symbol).where(~SYMBOLS.c.is_active)
            return set(await connection.scalars(chosen))

    async def _put(
        self, connection: AsyncConnection, number: int, symbol: str, *, is_active: bool
    ) -> bool:
        await upsert(connection, SYMBOLS, {"symbol": symbol, "is_active": True}, ["symbol"])
        of = await connection.scalar(select(SYMBOLS.c.id).where(SYMBOLS.c.symbol == symbol))
        entries = USER_WATCHLIST.c.watchlist_id == number
        held = select(func.count()).select_from(USER_WATCHLIST).where(entries)
        before = await connection.scalar(held) or 0
        row = {
            "watchlist_id": number,
            "symbol_id": of,
            "is_active": is_active,
            "added_at": moment(self._clock.now()),
        }
        key = ["watchlist_id", "symbol_id"]
        await upsert(connection, USER_WATCHLIST, row, key, ["is_active"])
        is_new = (await connection.scalar(held) or 0) > before
        if is_new and before >= ENTRIES_MAX:
            raise TooMany(f"{ENTRIES_MAX} entries is the most that a list may have")
        return is_new

    async def _told(self, connection: AsyncConnection, user: str) -> None:
        await self._outbox.put(connection, CHANGED, user)


async def _number(connection: AsyncConnection, user: str, name: str) -> int:
    chosen = select(WATCHLISTS.c.id).where(WATCHLISTS.c.user_id == user, WATCHLISTS.c.name == name)
    # Whoever changes a list has it until the end: no entry comes onto one that goes.
    found = await connection.scalar(chosen.with_for_update())
    if found is None:
        raise NoSuchList(name)
    return int(found)


async def _entry(connection: AsyncConnection, number: int, symbol: str) -> Any:
    """The condition that chooses one entry of a list.

    Raises:
        NoSuchEntry: the symbol is not on it.
    """
    of = await connection.scalar(select(SYMBOLS.c.id).where(SYMBOLS.c.symbol == symbol))
    one = and_(USER_WATCHLIST.c.watchlist_id == number, USER_WATCHLIST.c.symbol_id == of)
    if of is None or await connection.scalar(select(USER_WATCHLIST.c.is_active).where(one)) is None:
        raise NoSuchEntry(symbol)
    return one


async def _one(connection: AsyncConnection, user: str, name: str) -> Watchlist:
    for one in await _lists(connection, user, name):
        return one
    raise NoSuchList(name)


async def _lists(
    connection: AsyncConnection, user: str, name: str | None = None
) -> list[Watchlist]:
    chosen = select(WATCHLISTS).where(WATCHLISTS.c.user_id == user).order_by(WATCHLISTS.c.name)
    if name is not None:
        chosen = chosen.where(WATCHLISTS.c.name == name)
    rows = (await connection.execute(chosen)).all()
    entries: dict[int, list[Entry]] = {row.id: [] for row in rows}
    held = _ENTRIES.where(USER_WATCHLIST.c.watchlist_id.in_(entries))
    for row in await connection.execute(held):
        entries[row.watchlist_id].append(_as_entry(row))
    return [Watchlist(row.name, micros(row.made_at), tuple(entries[row.id])) for row in rows]


def _as_entry(row: Any) -> Entry:
    return Entry(row.symbol, row.is_active, micros(row.added_at))
