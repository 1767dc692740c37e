"""Books, each on a shelf that there is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "book",
        sa.Column("title", sa.String(40), primary_key=True),
        sa.Column("shelf", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["shelf"], ["shelf.name"], name="fk_book_shelf_shelf"),
    )


def downgrade() -> None:
    op.drop_table("book")
