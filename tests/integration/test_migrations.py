"""Migrations lead to the very tables that the code works with, and back to none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect

from services.indicators.adapters import subscriptions
from services.signals.adapters import tables
from shared.service.settings import ServiceSettings
from shared.store.store import Store
from tests.conftest import Database

SERVICES = {
    "indicators": (subscriptions.MIGRATIONS, subscriptions.TABLES),
    "signals": (tables.MIGRATIONS, tables.TABLES),
}


@pytest.mark.parametrize("service", SERVICES)
async def test_migrations_make_the_tables_of_the_code(service: str, database: Database) -> None:
    """Every table, column, type and index, on both kinds of database."""
    folder, metadata = SERVICES[service]
    store = _store(service, database, folder)
    try:
        async with store.writing() as connection:
            assert await connection.run_sync(_differences, metadata) == []
            assert await connection.run_sync(_names) >= {*metadata.tables}
        await store.downgrade("base")
        async with store._transaction() as connection:
            assert not await connection.run_sync(_names) & {*metadata.tables}
    finally:
        await store.close()


def _store(service: str, database: Database, folder: Path) -> Store:
    return Store(service, ServiceSettings.model_validate(database), folder)


def _differences(connection: Connection, metadata: MetaData) -> Sequence[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found: Sequence[Any] = compare_metadata(context, metadata)
    return found


def _names(connection: Connection) -> set[str]:
    return {*inspect(connection).get_table_names()}
