"""Everything kept as tables for SQL: one a topic, and ``candles`` by the newest word on each."""

import asyncio
import re
from collections.abc import Sequence

import polars as pl

from shared.archive.columns import BASE, topic_schema
from shared.archive.live import RECORDED
from shared.archive.reader import Archive
from shared.archive.revisions import TOPIC as REVISED
from shared.archive.revisions import newest
from shared.events.candle import CandleClosed

CANDLES = "candles"
TABLES: tuple[str, ...] = (CANDLES, *RECORDED, REVISED)

_CHANGES = re.compile(r"\s*(alter|create|delete|drop|insert|truncate|update)\b", re.IGNORECASE)
_REFUSED = "only queries are answered (SELECT, WITH, SHOW TABLES): nothing recorded is changed"


class QueryError(Exception):
    """A query cannot be answered; the message is one line and names what there is."""


async def query(archive: Archive, statement: str) -> pl.DataFrame:
    """Answer a SQL statement (polars' dialect) over what is stored and what the log holds.

    Raises:
        QueryError: the statement is wrong.
    """
    if _CHANGES.match(statement):
        raise QueryError(_REFUSED)
    named = [name for name in TABLES if re.search(rf"\b{name}\b", statement)]
    tables = {name: await _table(archive, name) for name in named}
    rest = {name: pl.LazyFrame(schema=columns(name)) for name in TABLES if name not in tables}
    context = pl.SQLContext(frames={**tables, **rest})
    try:
        return await asyncio.to_thread(lambda: context.execute(statement, eager=True))
    except pl.exceptions.PolarsError as error:
        raise QueryError(_told(error, named)) from None


def columns(name: str) -> dict[str, pl.DataType]:
    """The columns of a table by name, in order."""
    if name == CANDLES:
        schema = topic_schema(CandleClosed.TOPIC)
        own = [*BASE, *(one for one in CandleClosed.model_fields if one not in BASE)]
        return {**{one: schema[one] for one in own}, "is_revised": pl.Boolean()}
    return dict(topic_schema(CandleClosed.TOPIC if name == REVISED else name))


async def _table(archive: Archive, name: str) -> pl.LazyFrame:
    revisions = archive.revisions.rows(archive.revisions.months())
    if name == REVISED:
        return revisions
    if name != CANDLES:
        return await _topic(archive, name)
    published = await _topic(archive, CandleClosed.TOPIC)
    told = published.filter(pl.col("type") == CandleClosed.TYPE)
    if archive.revisions.months():
        told = newest(told, revisions)
    else:  # joining nothing would still cost more than most questions
        told = told.with_columns(is_revised=pl.lit(value=False))
    return told.select(*columns(CANDLES))


async def _topic(archive: Archive, topic: str) -> pl.LazyFrame:
    """A topic over all partitions: stored rows lazily, what the log alone holds beside them."""
    ends = await archive.ends(topic)
    tails = [await archive.tail(topic, one, end) for one, end in ends.items()]
    stored = archive.stored(topic, archive.shelf.months(topic), ends)
    return pl.concat([stored, *(tail.lazy() for tail in tails)])


def _told(error: pl.exceptions.PolarsError, named: Sequence[str]) -> str:
    first = str(error).partition("\n")[0]
    if isinstance(error, pl.exceptions.ColumnNotFoundError) and named:
        known = "; ".join(f"{name} has {', '.join(columns(name))}" for name in named)
        return f"{first.partition(';')[0]}; {known}"
    if "was not found" in first:
        return f"{first}; there are {', '.join(TABLES)}"
    if first.startswith("statement type is not supported"):
        return _REFUSED
    return first
