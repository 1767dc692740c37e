"""The service's tables, in the words that users know: configurations, symbols, rules, signals."""

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
)

from shared.store.columns import UtcDateTime, metadata

SERVICE = "signals"
MIGRATIONS = Path(__file__).parents[1] / "migrations"
TABLES = metadata()
_NUMBER = BigInteger().with_variant(Integer, "sqlite")


def _of_config() -> Column[int]:
    return Column("config_id", _NUMBER, ForeignKey("signal_configs.id"), primary_key=True)


# A rule set that is kept here and not in a file; deleted ones stay for their versions and signals.
CONFIGS = Table(
    "signal_configs",
    TABLES,
    Column("id", _NUMBER, primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("title", String(200), nullable=False),
    Column("signal_type", String(10), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("scan_interval_minutes", Integer, nullable=False),
    Column("signals_a_day_max", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("version", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime, nullable=True),
)
# What the set looks at: primary symbols have signals, others are only compared with.
SYMBOLS = Table(
    "signal_symbols",
    TABLES,
    _of_config(),
    Column("symbol", String(40), primary_key=True),
    Column("token", String(40), nullable=True),
    Column("is_primary", Boolean, nullable=False),
    Column("timeframe", String(10), nullable=False),
)
# The set's rules as rows; ``body`` is the whole rule, the words beside it are for people's queries.
RULES = Table(
    "signal_entry_rules",
    TABLES,
    _of_config(),
    Column("place", Integer, primary_key=True),
    Column("name", String(40), nullable=False),
    Column("version", String(8), nullable=False),
    Column("rule_type", String(20), nullable=False),
    Column("symbol", String(40), nullable=True),
    Column("parameter", String(2), nullable=True),
    Column("correlation_threshold", Float, nullable=True),
    Column("body", Text, nullable=False),
)
VERSIONS = Table(
    "signal_config_versions",
    TABLES,
    _of_config(),
    Column("revision", Integer, primary_key=True),
    Column("version", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
    Column("saved_by", String(200), nullable=False),
)
# ``id`` is the event's own, so that writing it twice writes it once; ``body`` is the whole event.
SIGNALS = Table(
    "generated_signals",
    TABLES,
    Column("id", String(500), primary_key=True),
    Column("config_id", _NUMBER, nullable=True),
    Column("config", String(40), nullable=False, index=True),
    Column("rule", String(40), nullable=False),
    Column("rule_version", String(40), nullable=False),
    Column("symbol", String(40), nullable=False, index=True),
    Column("token", String(40), nullable=True),
    Column("signal_time", UtcDateTime, nullable=False, index=True),
    Column("direction", String(5), nullable=False),
    Column("price", Float, nullable=False),
    Column("timeframe", String(4), nullable=False),
    Column("status", String(8), nullable=False, index=True),
    Column("status_at", UtcDateTime, nullable=True),
    Column("status_by", String(200), nullable=True),
    Column("expires_at", UtcDateTime, nullable=True),
    Column("body", Text, nullable=False),
)
# How far the log's signals have been written down, beside the rows themselves.
OFFSETS = Table(
    "signal_offsets",
    TABLES,
    Column("partition", Integer, primary_key=True),
    Column("entry", String(40), nullable=False),
    Column("incarnation", String(80), nullable=False),
)
