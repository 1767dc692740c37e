"""One service's tables: transactions over them, made and migrated by whoever comes first."""

import asyncio
import fcntl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.service.settings import ServiceSettings
from shared.store.address import Address, address
from shared.store.engine import READ_ONLY, engine
from shared.store.errors import connecting, using
from shared.store.migrations import BASE, HEAD, Migrations

# Alembic keeps the migration under way in its own module, once for the whole process.
_ALEMBIC = threading.Lock()
_LOOK_S = 0.01


class Store:
    """Transactions over one service's tables.

    The first of them brings the tables to this release's revision, so that neither a service nor
    its routes need wait for a database when they start. ``folder`` is the service's
    ``migrations``.

    Raises:
        SettingsError: ``DATABASE_URL`` is no address of a PostgreSQL.
        StoreError: the data directory cannot be made.
    """

    def __init__(self, service: str, settings: ServiceSettings, folder: Path) -> None:
        self.address: Address = address(service, settings)
        self.migrations = Migrations(service, folder)
        self._engine = engine(self.address)
        self._reading = self._engine.execution_options(**{READ_ONLY: True})
        self._turn = asyncio.Lock()
        self._is_ready = False

    @property
    def is_shared(self) -> bool:
        """Whether several replicas may use these tables."""
        return self.address.file is None

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Close all connections at the end of the block."""
        try:
            yield
        finally:
            await self.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads, and sees one moment of SQLite's tables.

        Raises:
            StoreAway: the tables cannot be reached, or were lost on the way.
            StoreError: they belong to another release.
        """
        await self.prepare()
        async with self._transaction(read_only=True) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end of the block, or rolled back by an exception.

        Raises:
            StoreAway: the tables cannot be reached, or were lost on the way.
            StoreError: they belong to another release.
        """
        await self.prepare()
        async with self._transaction() as connection:
            yield connection

    async def prepare(self) -> None:
        """Bring the tables to this release's revision, unless that is done.

        Raises:
            StoreAway: the tables cannot be reached.
            StoreError: they belong to another release.
        """
        if not self._is_ready:
            async with self._turn:
                if not self._is_ready:
                    await self.upgrade()
                    self._is_ready = True

    async def upgrade(self, revision: str = HEAD) -> tuple[str, str]:
        """Migrate up; the revisions before and after.

        Raises:
            StoreAway: the tables cannot be reached.
            StoreError: there is no way to that revision.
        """
        async with _turn_of_alembic(), self._transaction() as connection:
            return await connection.run_sync(self.migrations.upgrade, revision)

    async def downgrade(self, revision: str) -> tuple[str, str]:
        """Migrate down, ``base`` takes every table away; the revisions before and after.

        Raises:
            StoreAway: the tables cannot be reached.
            StoreError: there is no way to that revision.
        """
        async with _turn_of_alembic(), self._transaction() as connection:
            return await connection.run_sync(self.migrations.downgrade, revision)

    async def current(self) -> str:
        """The revision that the tables are at; ``base`` if there are none.

        Raises:
            StoreAway: the tables cannot be reached.
        """
        if self.address.file is not None and not self.address.file.exists():
            return BASE
        async with self._transaction(read_only=True) as connection:
            return await connection.run_sync(self.migrations.current)

    @asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[bool]:
        """Whether nobody else is doing this now; if so nobody else will until the block ends.

        Raises:
            StoreAway: the tables cannot be reached.
        """
        if self.address.file is not None:
            with _file_lock(self.address.file.with_suffix(f".{what}.lock")) as got:
                yield got
            return
        key = crc32(f"{self.address.service}:{what}".encode())
        async with self._transaction(read_only=True) as connection:
            # Given back with the transaction, so by a connection that breaks too.
            got = await connection.scalar(
                text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}
            )
            yield bool(got)

    @asynccontextmanager
    async def _transaction(self, *, read_only: bool = False) -> AsyncIterator[AsyncConnection]:
        chosen = self._reading if read_only else self._engine
        where = self.address.where
        with using(where):
            transaction = chosen.begin()
            with connecting(where):
                connection = await transaction.__aenter__()
            try:
                yield connection
            except BaseException as error:
                await transaction.__aexit__(type(error), error, error.__traceback__)
                raise
            await transaction.__aexit__(None, None, None)


@asynccontextmanager
async def _turn_of_alembic() -> AsyncIterator[None]:
    """Let one store of this process migrate at a time."""
    # Never waited for: it may be held by a task of this very thread.
    while not _ALEMBIC.acquire(blocking=False):  # noqa: ASYNC110 - threads have other loops
        await asyncio.sleep(_LOOK_S)
    try:
        yield
    finally:
        _ALEMBIC.release()


@contextmanager
def _file_lock(path: Path) -> Iterator[bool]:
    with path.open("ab") as file:
        got = True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            got = False
        yield got
