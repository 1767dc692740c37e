"""Migrations of one service's tables, run from code: each lives in the service that it changes."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from shared.store.errors import StoreError

HEAD = "head"
BASE = "base"
_SCRIPTS = Path(__file__).parent / "scripts"
# Any number that nobody else locks: "tide" in ASCII.
_LOCK = 0x74696465


class Migrations:
    """A service's steps from nothing to its newest tables.

    ``folder`` is the service's ``migrations``, whose ``versions`` holds one file a step.
    """

    def __init__(self, service: str, folder: Path) -> None:
        self._service = service
        self._folder = folder

    @property
    def newest(self) -> str:
        """The revision that this release works with."""
        head = ScriptDirectory.from_config(self._config()).get_current_head()
        assert head is not None, f"{self._folder} holds no migration"
        return head

    def upgrade(self, connection: Connection, revision: str = HEAD) -> tuple[str, str]:
        """Take all steps up to a revision, alone; the revisions before and after.

        Raises:
            StoreError: the tables belong to a newer release, or there is no such revision.
        """
        return self._move(connection, revision, command.upgrade)

    def downgrade(self, connection: Connection, revision: str) -> tuple[str, str]:
        """Take steps back to a revision, ``base`` for none; the revisions before and after.

        Raises:
            StoreError: the tables belong to a newer release, or there is no such revision.
        """
        return self._move(connection, revision, command.downgrade)

    def current(self, connection: Connection) -> str:
        """The revision that the tables are at; ``base`` if there are none."""
        found = MigrationContext.configure(connection).get_current_revision()
        return BASE if found is None else found

    def _move(
        self, connection: Connection, revision: str, move: Callable[[Config, str], None]
    ) -> tuple[str, str]:
        self._wait_for_turn(connection)
        before = self.current(connection)
        try:
            if before != revision and not (revision == HEAD and before == self.newest):
                move(self._config(connection), revision)
        except CommandError as error:
            raise StoreError(
                f"the tables of {self._service} are at revision {before}, and this release cannot "
                f"bring them to {revision} ({error}); go on with the release that made them"
            ) from error
        return before, self.current(connection)

    def _wait_for_turn(self, connection: Connection) -> None:
        """Nobody else migrates before this transaction ends; SQLite has one writer anyway."""
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{self._service}"'))

    def _config(self, connection: Connection | None = None) -> Config:
        config = Config()
        # Percent signs are alembic's own.
        for name, path in (
            ("script_location", _SCRIPTS),
            ("version_locations", self._folder / "versions"),
        ):
            config.set_main_option(name, str(path).replace("%", "%%"))
        # One location; whatever stands in its path, it is never cut apart.
        config.set_main_option("path_separator", "newline")
        config.attributes["connection"] = connection
        return config
