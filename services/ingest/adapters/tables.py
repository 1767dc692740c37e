"""The tables of this service; its ``migrations`` make them."""

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Table, true
from sqlalchemy.schema import UniqueConstraint

from services.ingest.domain.watching import LIST_NAME_MAX
from shared.service.caller import USER_ID_MAX
from shared.service.settings import ServiceSettings
from shared.store.columns import UtcDateTime, metadata
from shared.store.outbox import outbox_table
from shared.store.store import Store

_SYMBOL_MAX = 40
_ID = BigInteger().with_variant(Integer, "sqlite")

TABLES = metadata()

SYMBOLS = Table(
    "symbols",
    TABLES,
    Column("id", _ID, primary_key=True),
    Column("symbol", String(_SYMBOL_MAX), nullable=False, unique=True),
    # An operator's word for everybody: an inactive symbol is watched by nobody.
    Column("is_active", Boolean, nullable=False, server_default=true()),
)
WATCHLISTS = Table(
    "watchlists",
    TABLES,
    Column("id", _ID, primary_key=True),
    Column("user_id", String(USER_ID_MAX), nullable=False),
    Column("name", String(LIST_NAME_MAX), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    UniqueConstraint("user_id", "name"),
)
USER_WATCHLIST = Table(
    "user_watchlist",
    TABLES,
    Column("watchlist_id", ForeignKey("watchlists.id", ondelete="CASCADE"), primary_key=True),
    Column("symbol_id", ForeignKey("symbols.id"), primary_key=True, index=True),
    Column("is_active", Boolean, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)
OUTBOX = outbox_table(TABLES)


def store(settings: ServiceSettings) -> Store:
    """This service's tables; nothing is reached yet.

    Raises:
        SettingsError: ``DATABASE_URL`` is no address of a PostgreSQL.
        StoreError: the data directory cannot be made.
    """
    return Store("ingest", settings, Path(__file__).parents[1] / "migrations")
