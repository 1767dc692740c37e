"""Watchlists: symbols, each user's lists, and the entries on them."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import UtcDateTime

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "symbols",
        sa.Column("id", _ID, nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.PrimaryKeyConstraint("id", name="pk_symbols"),
        sa.UniqueConstraint("symbol", name="uq_symbols_symbol"),
    )
    op.create_table(
        "watchlists",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_watchlists"),
        sa.UniqueConstraint("user_id", "name", name="uq_watchlists_user_id_name"),
    )
    _entries()
    _outbox()


def _entries() -> None:
    op.create_table(
        "user_watchlist",
        sa.Column("watchlist_id", _ID, nullable=False),
        sa.Column("symbol_id", _ID, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("added_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("watchlist_id", "symbol_id", name="pk_user_watchlist"),
        sa.ForeignKeyConstraint(
            ["watchlist_id"],
            ["watchlists.id"],
            name="fk_user_watchlist_watchlist_id_watchlists",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["symbol_id"], ["symbols.id"], name="fk_user_watchlist_symbol_id_symbols"
        ),
    )
    op.create_index("ix_user_watchlist_symbol_id", "user_watchlist", ["symbol_id"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("written_at", UtcDateTime, nullable=False),
        sa.Column("sent_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_sent_at", "outbox", ["sent_at"])


def downgrade() -> None:
    for table in ("outbox", "user_watchlist", "watchlists", "symbols"):
        op.drop_table(table)
