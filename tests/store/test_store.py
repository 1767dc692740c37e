"""Transactions over one service's tables, on SQLite and on a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from shared.service.settings import ServiceSettings, SettingsError
from shared.store import engine as engine_module
from shared.store.address import address
from shared.store.errors import StoreAway, StoreError
from shared.store.store import Store
from tests.conftest import Database
from tests.store.shelves import BOOK, FOLDER, SHELF, TABLES, store

WHEN = datetime(2026, 11, 20, 9, 15, 0, 123456, tzinfo=UTC)


async def put(shelves: Store, name: str) -> None:
    async with shelves.writing() as connection:
        await connection.execute(SHELF.insert().values(name=name, made_at=WHEN))


async def names(shelves: Store) -> list[str]:
    async with shelves.reading() as connection:
        return list(await connection.scalars(select(SHELF.c.name).order_by(SHELF.c.name)))


async def test_the_first_transaction_makes_the_tables(shelves: Store) -> None:
    """Nobody has to migrate by hand: what is asked first finds the newest tables, empty."""
    assert await shelves.current() == "base"
    assert await names(shelves) == []
    assert await shelves.current() == "0002"


async def test_a_block_is_committed_or_not_at_all(shelves: Store) -> None:
    """What an exception ends leaves nothing behind, and the next transaction works."""
    await put(shelves, "kept")

    async def fail() -> None:
        async with shelves.writing() as connection:
            await connection.execute(SHELF.insert().values(name="lost", made_at=WHEN))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await names(shelves) == ["kept"]


async def test_times_come_back_as_they_were(shelves: Store) -> None:
    """A time keeps its microseconds and its meaning, whatever zone it was given in."""
    indian = WHEN.astimezone(timezone(timedelta(hours=5, minutes=30)))
    async with shelves.writing() as connection:
        await connection.execute(SHELF.insert().values(name="a", made_at=indian))
    async with shelves.reading() as connection:
        found = await connection.scalar(select(SHELF.c.made_at))
    assert found == WHEN
    assert found is not None
    assert found.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(shelves: Store) -> None:
    """Nobody could tell later what was meant."""
    with pytest.raises(StatementError, match="has no time zone; give one"):
        async with shelves.writing() as connection:
            await connection.execute(
                SHELF.insert().values(name="a", made_at=WHEN.replace(tzinfo=None))
            )


async def test_a_broken_constraint_is_told_as_such(shelves: Store) -> None:
    """A book needs a shelf, on SQLite too; that is no outage."""
    with pytest.raises(IntegrityError):
        async with shelves.writing() as connection:
            await connection.execute(BOOK.insert().values(title="t", shelf="nowhere"))


async def test_writers_wait_for_each_other(shelves: Store) -> None:
    """Many that read, think and write at once all come through, and none is lost."""

    async def count(number: int) -> None:
        async with shelves.writing() as connection:
            await connection.scalar(select(func.count()).select_from(SHELF))
            await asyncio.sleep(0)
            await connection.execute(SHELF.insert().values(name=f"s{number:02}", made_at=WHEN))

    await asyncio.gather(*(count(number) for number in range(20)))
    assert await names(shelves) == [f"s{number:02}" for number in range(20)]


async def test_two_stores_may_come_first_at_once(database: Database) -> None:
    """Several processes that find no tables make them once between them."""
    stores = [store(database) for _ in range(4)]
    try:
        assert await asyncio.gather(*(names(one) for one in stores)) == [[]] * 4
    finally:
        for one in stores:
            await one.close()


async def test_services_keep_apart(database: Database) -> None:
    """Each has a schema or a file of its own, so equal names of tables are no matter."""
    first, second = store(database, "one"), store(database, "two")
    try:
        await put(first, "mine")
        assert await names(second) == []
    finally:
        await first.close()
        await second.close()


async def test_migrations_make_what_the_code_declares(shelves: Store) -> None:
    """Tables, columns and whether they may be null agree between migrations and code."""
    await shelves.prepare()
    async with shelves.reading() as connection:
        made = await connection.run_sync(
            lambda sync: {
                table: {one["name"]: one["nullable"] for one in inspect(sync).get_columns(table)}
                for table in inspect(sync).get_table_names()
            }
        )
    made.pop("alembic_version")
    declared = {
        name: {column.name: bool(column.nullable) for column in table.columns}
        for name, table in TABLES.tables.items()
    }
    assert made == declared


async def test_migrations_go_both_ways(shelves: Store) -> None:
    """Down to nothing and up again, a step or all at once."""
    assert await shelves.upgrade() == ("base", "0002")
    assert await shelves.upgrade() == ("0002", "0002")
    assert await shelves.downgrade("0001") == ("0002", "0001")
    assert await shelves.upgrade("0002") == ("0001", "0002")
    assert await shelves.downgrade("base") == ("0002", "base")
    assert await shelves.upgrade() == ("base", "0002")


async def test_tables_of_a_newer_release_are_left_alone(shelves: Store) -> None:
    """What this release does not know it neither uses nor changes, and says so."""
    await shelves.upgrade()
    async with shelves.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(StoreError, match="the tables of toy are at revision 0099, and this"):
        await shelves.upgrade()


async def test_one_at_a_time_does_what_only_one_may_do(shelves: Store, database: Database) -> None:
    """While somebody is at it, nobody else gets the turn; afterwards anybody does."""
    other = store(database)
    try:
        await shelves.prepare()
        async with shelves.alone("relay") as mine, other.alone("relay") as theirs:
            assert (mine, theirs) == (True, False)
        async with other.alone("relay") as theirs:
            assert theirs
    finally:
        await other.close()


async def test_a_database_that_is_not_there_is_told_in_one_line() -> None:
    """Where it is and why it does not answer, without the password."""
    given = SecretStr("postgresql://tideline:hush@127.0.0.1:1/tideline")
    away = store({"database_url": given})
    with pytest.raises(StoreAway) as told:
        await names(away)
    assert str(told.value).startswith("the tables at postgresql://127.0.0.1:1/tideline cannot be")
    assert "hush" not in str(told.value)
    assert "\n" not in str(told.value)
    await away.close()


async def test_a_server_that_hangs_is_told(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a statement for ever, and the next one has a connection that works."""
    database: Database = {"database_url": SecretStr(f"{postgres_url}/postgres")}
    calm = store(database, "hanging")
    # Making the tables may take its time; this long nothing else of it takes.
    monkeypatch.setattr(engine_module, "STATEMENT_S", 2.0)
    shelves = store(database, "hanging")
    try:
        await calm.prepare()
        with pytest.raises(StoreAway, match="/postgres cannot be used"):
            async with shelves.writing() as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))
        assert await names(shelves) == []
    finally:
        await shelves.close()
        await calm.downgrade("base")
        await calm.close()


async def test_a_file_that_can_be_opened_again_is_used_again(tmp_path: Path) -> None:
    """One that could not be opened is tried again with the next transaction."""
    blocked = tmp_path / "data" / "toy.sqlite3"
    shelves = store({"data_dir": tmp_path / "data"})
    blocked.mkdir(parents=True)
    with pytest.raises(StoreAway, match="unable to open database file"):
        await names(shelves)
    blocked.rmdir()
    assert await names(shelves) == []
    await shelves.close()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """A disk's accident is an outage with a reason, not a crash."""
    (tmp_path / "toy.sqlite3").write_bytes(b"rubbish" * 1000)
    shelves = store({"data_dir": tmp_path})
    with pytest.raises(StoreAway, match=r"toy.sqlite3 cannot be used \(file is not a database\)"):
        await names(shelves)
    await shelves.close()


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("postgres://u:p@db:5433/x", "postgresql+asyncpg://u:***@db:5433/x"),
        ("postgresql://u:p@db/x?sslmode=require", "postgresql+asyncpg://u:***@db/x?ssl=require"),
        ("postgresql+asyncpg://db/x", "postgresql+asyncpg://db/x"),
        ("postgresql:///x?host=/run/pg", "postgresql+asyncpg:///x?host=%2Frun%2Fpg"),
    ],
)
def test_addresses_come_in_the_forms_that_people_have(given: str, where: str) -> None:
    """The driver is ours to choose, and libpq's words are understood."""
    found = address("ingest", ServiceSettings(database_url=SecretStr(given)))
    assert str(found.url) == where
    assert "p@" not in found.where


def test_other_databases_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the setting and what it must be like, and no password."""
    monkeypatch.setenv("DATABASE_URL", "mysql://u:hush@db/x")
    with pytest.raises(SettingsError) as refusal:
        ServiceSettings.load()
    assert str(refusal.value) == (
        "setting DATABASE_URL: must be postgresql://USER:PASSWORD@HOST:PORT/NAME; unset is SQLite"
    )


def test_the_address_can_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A secret has a file of its own, and is shown nowhere."""
    (tmp_path / "secret").write_text("postgresql://me:hush@db/tideline\n")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "secret"))
    settings = ServiceSettings.load()
    assert address("toy", settings).url.password == "hush"
    assert "hush" not in f"{settings!r} {address('toy', settings).where}"


def test_an_empty_address_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files hand on an empty value where nobody has set one."""
    monkeypatch.setenv("DATABASE_URL", "")
    assert ServiceSettings.load().database_url is None


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """One line names it, why, and the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/data cannot be made \(.*\); set TIDELINE_DATA_DIR"):
        Store("toy", ServiceSettings(data_dir=tmp_path / "file" / "data"), FOLDER)
