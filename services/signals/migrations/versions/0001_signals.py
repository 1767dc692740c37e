"""Rule sets with their versions, and the signals that were generated."""

import sqlalchemy as sa
from alembic import op

from shared.store.columns import UtcDateTime

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "signal_configs",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("signal_type", sa.String(10), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("scan_interval_minutes", sa.Integer, nullable=False),
        sa.Column("signals_a_day_max", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("deleted_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("name", name="uq_signal_configs_name"),
    )
    _parts()
    _signals()


def _parts() -> None:
    op.create_table(
        "signal_symbols",
        sa.Column("config_id", _NUMBER, sa.ForeignKey("signal_configs.id"), primary_key=True),
        sa.Column("symbol", sa.String(40), primary_key=True),
        sa.Column("token", sa.String(40), nullable=True),
        sa.Column("is_primary", sa.Boolean, nullable=False),
        sa.Column("timeframe", sa.String(10), nullable=False),
    )
    op.create_table(
        "signal_entry_rules",
        sa.Column("config_id", _NUMBER, sa.ForeignKey("signal_configs.id"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("version", sa.String(8), nullable=False),
        sa.Column("rule_type", sa.String(20), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=True),
        sa.Column("parameter", sa.String(2), nullable=True),
        sa.Column("correlation_threshold", sa.Float, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "signal_config_versions",
        sa.Column("config_id", _NUMBER, sa.ForeignKey("signal_configs.id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("saved_at", UtcDateTime, nullable=False),
        sa.Column("saved_by", sa.String(200), nullable=False),
    )


def _signals() -> None:
    op.create_table(
        "generated_signals",
        sa.Column("id", sa.String(500), primary_key=True),
        sa.Column("config_id", _NUMBER, nullable=True),
        sa.Column("config", sa.String(40), nullable=False),
        sa.Column("rule", sa.String(40), nullable=False),
        sa.Column("rule_version", sa.String(40), nullable=False),
        sa.Column("symbol", sa.String(40), nullable=False),
        sa.Column("token", sa.String(40), nullable=True),
        sa.Column("signal_time", UtcDateTime, nullable=False),
        sa.Column("direction", sa.String(5), nullable=False),
        sa.Column("price", sa.Float, nullable=False),
        sa.Column("timeframe", sa.String(4), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("status_at", UtcDateTime, nullable=True),
        sa.Column("status_by", sa.String(200), nullable=True),
        sa.Column("expires_at", UtcDateTime, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    for column in ("signal_time", "symbol", "config", "status"):
        op.create_index(f"ix_generated_signals_{column}", "generated_signals", [column])
    op.create_table(
        "signal_offsets",
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("entry", sa.String(40), nullable=False),
        sa.Column("incarnation", sa.String(80), nullable=False),
    )


def downgrade() -> None:
    for table in (
        "signal_offsets",
        "generated_signals",
        "signal_config_versions",
        "signal_entry_rules",
        "signal_symbols",
        "signal_configs",
    ):
        op.drop_table(table)
