"""Who subscribed which recipe, on which symbol and timeframe."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("user_id", sa.String(200), primary_key=True),
        sa.Column("symbol", sa.String(40), primary_key=True),
        sa.Column("timeframe", sa.String(4), primary_key=True),
        sa.Column("recipe", sa.String(80), primary_key=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_subscriptions_symbol", "subscriptions", ["symbol"])


def downgrade() -> None:
    op.drop_table("subscriptions")
