"""Rows that may be there already."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

_INSERTS: Mapping[str, Callable[[Table], Any]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


async def upsert(
    connection: AsyncConnection,
    table: Table,
    row: Mapping[str, Any],
    key: Sequence[str],
    changed: Sequence[str] = (),
) -> None:
    """Put a row in; where there is one of that key, give it these changed columns, or leave it."""
    statement = _INSERTS[connection.dialect.name](table).values(row)
    if changed:
        values = {name: statement.excluded[name] for name in changed}
        await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
    else:
        await connection.execute(statement.on_conflict_do_nothing(index_elements=key))
