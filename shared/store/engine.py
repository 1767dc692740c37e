"""The engine under a service's tables: SQLite as a server would have it, or PostgreSQL."""

import os
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.store.address import Address
from shared.store.errors import StoreError

READ_ONLY = "tideline_read_only"
# As long as a writer waits for another one.
_BUSY_MS = 5_000
_CONNECT_S = 5
STATEMENT_S = 10.0
_POOL = 5


def engine(address: Address) -> AsyncEngine:
    """An engine that has no connection yet.

    Raises:
        StoreError: the data directory cannot be made, or not be written to.
    """
    return _sqlite(address) if address.file is not None else _postgres(address)


def _postgres(address: Address) -> AsyncEngine:
    return create_async_engine(
        address.url,
        pool_size=_POOL,
        pool_pre_ping=True,
        connect_args={
            "timeout": _CONNECT_S,
            "command_timeout": STATEMENT_S,
            # One schema a service: no table has to say where it is.
            "server_settings": {
                "search_path": address.service,
                "application_name": f"tideline-{address.service}",
            },
        },
    )


def _sqlite(address: Address) -> AsyncEngine:
    assert address.file is not None
    folder = address.file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"the data directory {folder} cannot be made ({error.strerror}); set TIDELINE_DATA_DIR"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(
            f"the data directory {folder} cannot be written to by user {os.getuid()}; "
            "mend its owner or set TIDELINE_DATA_DIR"
        )
    made = create_async_engine(address.url, connect_args={"timeout": _BUSY_MS / 1000})
    event.listen(made.sync_engine, "connect", _prepared)
    event.listen(made.sync_engine, "begin", _begun)
    return made


def _prepared(connection: Any, _: object) -> None:
    # The driver would begin transactions by its own rules, and none before a CREATE TABLE.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        f"busy_timeout={_BUSY_MS}",
        "foreign_keys=ON",
        "synchronous=NORMAL",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begun(connection: Connection) -> None:
    # A writer takes its turn at once: one that has read first could not wait for it any more.
    reads = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
