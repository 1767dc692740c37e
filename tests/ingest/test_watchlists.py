"""Watchlists in tables, on SQLite and on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import inspect, select

from services.ingest.adapters.tables import OUTBOX, TABLES, store
from services.ingest.adapters.watchlists import CHANGED, Watchlists
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
from shared.service.settings import ServiceSettings
from shared.store.store import Store
from tests.conftest import Database


class Steps:
    """A clock that moves by a microsecond at every look."""

    def __init__(self) -> None:
        self.time = 1_795_000_000_000_000

    def now(self) -> int:
        self.time += 1
        return self.time

    def elapsed(self) -> float:
        return self.time / 1e6


@pytest.fixture
async def tables(database: Database) -> AsyncIterator[Store]:
    """Ingest's tables, empty."""
    made = store(ServiceSettings(**database))  # type: ignore[arg-type]
    yield made
    await made.close()


@pytest.fixture
def lists(tables: Store) -> Watchlists:
    """Everybody's lists."""
    return Watchlists(tables, Steps())


def symbols(watchlist: Watchlist) -> list[str]:
    return [one.symbol for one in watchlist.entries]


async def watchers(lists: Watchlists) -> dict[str, int]:
    return {one.symbol: one.watchers for one in await lists.counts()}


async def test_migrations_make_what_the_code_declares(tables: Store) -> None:
    """Tables, columns, keys and constraints agree between migrations and code."""
    await tables.prepare()
    async with tables.reading() as connection:
        made = await connection.run_sync(
            lambda sync: {
                table: (
                    {one["name"]: one["nullable"] for one in inspect(sync).get_columns(table)},
                    set(inspect(sync).get_pk_constraint(table)["constrained_columns"]),
                    {one["name"] for one in inspect(sync).get_unique_constraints(table)},
                    {one["name"] for one in inspect(sync).get_foreign_keys(table)},
                    {
                        one["name"]
                        for one in inspect(sync).get_indexes(table)
                        if not one.get("duplicates_constraint")
                    },
                )
                for table in inspect(sync).get_table_names()
                if table != "alembic_version"
            }
        )
    declared = {
        "symbols": ({"uq_symbols_symbol"}, set(), set()),
        "watchlists": ({"uq_watchlists_user_id_name"}, set(), set()),
        "user_watchlist": (
            set(),
            {
                "fk_user_watchlist_watchlist_id_watchlists",
                "fk_user_watchlist_symbol_id_symbols",
            },
            {"ix_user_watchlist_symbol_id"},
        ),
        "outbox": (set(), set(), {"ix_outbox_sent_at"}),
    }
    assert made == {
        name: (
            {column.name: bool(column.nullable) for column in table.columns},
            {column.name for column in table.primary_key},
            *declared[name],
        )
        for name, table in TABLES.tables.items()
    }


async def test_migrations_go_both_ways(tables: Store) -> None:
    """Down to nothing and up again."""
    assert await tables.upgrade() == ("base", "0001")
    assert await tables.downgrade("base") == ("0001", "base")
    assert await tables.upgrade() == ("base", "0001")


async def test_lists_are_made_filled_and_taken_away(lists: Watchlists) -> None:
    """Entries stand in the order in which they came; a list that goes takes its entries along."""
    made = await lists.create("ann", "main", ["NDX", "DAX", "NDX"])
    assert (made.name, symbols(made)) == ("main", ["NDX", "DAX"])
    assert await lists.put("ann", "main", "EURUSD", is_active=True)
    assert not await lists.put("ann", "main", "EURUSD", is_active=True)
    await lists.drop("ann", "main", "DAX")
    assert symbols(await lists.get("ann", "main")) == ["NDX", "EURUSD"]
    await lists.remove("ann", "main")
    assert await lists.lists("ann") == []
    assert await lists.counts() == []


async def test_a_symbol_is_watched_while_any_active_entry_names_it(lists: Watchlists) -> None:
    """A user counts once, however many lists name it; an inactive entry does not count."""
    await lists.create("ann", "one", ["DAX", "NDX"])
    await lists.create("ann", "two", ["DAX"])
    await lists.create("bob", "one", ["DAX", "VIX"])
    assert await watchers(lists) == {"DAX": 2, "NDX": 1, "VIX": 1}
    await lists.switch("bob", "one", "VIX", is_active=False)
    await lists.drop("ann", "one", "DAX")
    assert await watchers(lists) == {"DAX": 2, "NDX": 1}
    await lists.remove("ann", "two")
    assert await watchers(lists) == {"DAX": 1, "NDX": 1}


async def test_a_count_tells_since_when(lists: Watchlists) -> None:
    """The earliest entry decides who of equals came first."""
    first = (await lists.create("ann", "main", ["DAX"])).entries[0]
    await lists.create("bob", "main", ["DAX"])
    assert await lists.counts() == [Count("DAX", 2, first.added_at)]


async def test_an_entry_is_switched_off_and_on_again(lists: Watchlists) -> None:
    """It stays where it stands."""
    made = await lists.create("ann", "main", ["DAX"])
    off = await lists.switch("ann", "main", "DAX", is_active=False)
    assert off == Entry("DAX", False, made.entries[0].added_at)
    assert await lists.get("ann", "main") == Watchlist("main", made.made_at, (off,))
    assert await lists.switch("ann", "main", "DAX", is_active=True) == made.entries[0]


async def test_an_operator_switches_a_symbol_off_for_everybody(lists: Watchlists) -> None:
    """Whatever the lists say, and until it is switched on again."""
    await lists.create("ann", "main", ["DAX"])
    await lists.switch_symbol("DAX", is_active=False)
    await lists.switch_symbol("NDX", is_active=False)
    await lists.put("ann", "main", "NDX", is_active=True)
    assert [(one.symbol, one.is_on) for one in sorted(await lists.counts())] == [
        ("DAX", False),
        ("NDX", False),
    ]
    assert await lists.switched_off() == {"DAX", "NDX"}
    await lists.switch_symbol("DAX", is_active=True)
    assert await lists.switched_off() == {"NDX"}


async def test_users_do_not_see_each_other(lists: Watchlists) -> None:
    """Equal names are no matter, and another's list cannot be touched."""
    await lists.create("ann", "main", ["DAX"])
    await lists.create("bob", "main", [])
    assert await lists.lists("bob") == [await lists.get("bob", "main")]
    with pytest.raises(NoSuchEntry):
        await lists.drop("bob", "main", "DAX")
    with pytest.raises(NoSuchList):
        await lists.remove("cid", "main")
    assert symbols(await lists.get("ann", "main")) == ["DAX"]


async def test_a_list_has_one_name(lists: Watchlists) -> None:
    """Two of a user cannot have the same, neither made nor renamed."""
    await lists.create("ann", "main", ["DAX"])
    await lists.create("ann", "other", [])
    with pytest.raises(ListExists):
        await lists.create("ann", "main", ["VIX"])
    with pytest.raises(ListExists):
        await lists.rename("ann", "other", "main")
    assert symbols(await lists.rename("ann", "main", "first")) == ["DAX"]
    assert [one.name for one in await lists.lists("ann")] == ["first", "other"]
    assert await watchers(lists) == {"DAX": 1}


async def test_there_is_a_limit_to_everything(lists: Watchlists) -> None:
    """A user cannot fill the disk."""
    many = [f"S{number}" for number in range(ENTRIES_MAX)]
    await lists.create("ann", "full", many)
    with pytest.raises(TooMany, match="500 entries"):
        await lists.put("ann", "full", "ONE MORE", is_active=True)
    assert not await lists.put("ann", "full", "S0", is_active=False)
    for number in range(LISTS_MAX):
        await lists.create("bob", f"list {number}", [])
    with pytest.raises(TooMany, match="100 lists"):
        await lists.create("bob", "one more", [])


async def test_many_at_once_are_all_heard(lists: Watchlists) -> None:
    """Users who add the same new symbol in the same moment all come through."""
    users = [f"user{number}" for number in range(12)]
    await asyncio.gather(*(lists.create(user, "main", ["DAX", "NDX"]) for user in users))
    assert await watchers(lists) == {"DAX": 12, "NDX": 12}


async def test_every_change_tells_of_itself(lists: Watchlists, tables: Store) -> None:
    """Whoever watches is told of each, and of nothing that did not happen."""
    await lists.create("ann", "main", ["DAX"])
    await lists.switch("ann", "main", "DAX", is_active=False)
    await lists.drop("ann", "main", "DAX")
    with pytest.raises(NoSuchEntry):
        await lists.drop("ann", "main", "DAX")
    async with tables.reading() as connection:
        rows = await connection.execute(select(OUTBOX.c.kind, OUTBOX.c.body))
        assert [tuple(row) for row in rows] == [(CHANGED, "ann")] * 3
