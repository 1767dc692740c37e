"""A toy service's tables: shelves, books on them, and an outbox."""

from pathlib import Path
from typing import Any

from sqlalchemy import Column, ForeignKey, String, Table

from shared.service.settings import ServiceSettings
from shared.store.columns import UtcDateTime, metadata
from shared.store.outbox import outbox_table
from shared.store.store import Store

FOLDER = Path(__file__).parent / "toys"
TABLES = metadata()
SHELF = Table(
    "shelf",
    TABLES,
    Column("name", String(40), primary_key=True),
    Column("made_at", UtcDateTime, nullable=False),
)
BOOK = Table(
    "book",
    TABLES,
    Column("title", String(40), primary_key=True),
    Column("shelf", String(40), ForeignKey("shelf.name"), nullable=False),
)
OUTBOX = outbox_table(TABLES)


def store(database: dict[str, Any], service: str = "toy") -> Store:
    """The toy's tables in a test's database."""
    return Store(service, ServiceSettings(**database), FOLDER)
