"""Candles corrected later stand beside what was published: the newest word counts in reads."""

from pathlib import Path

import polars as pl
import pytest

from shared.archive.files import Shelf
from shared.archive.reader import Archive
from shared.archive.revisions import Revisions
from shared.archive.tables import QueryError, query
from shared.events.base import moment
from tests.archive.fakes import MINUTE, KnownLog, candle

SECOND = 1_000_000


def house(folder: Path) -> tuple[Archive, Revisions]:
    """Candles 1..3 are in the log, nothing is stored."""
    log = KnownLog()
    for number in (1, 2, 3):
        log.write("candle_closed", candle(number, number * MINUTE).wire())
    shelf = Shelf(folder, "test")
    return Archive(shelf, 1, log), Revisions(shelf, 1)


async def closes(archive: Archive) -> list[float]:
    return [one.close for one in await archive.candles("DAX", "1m", 0, 99 * MINUTE)]


async def test_the_newest_word_on_a_candle_counts(tmp_path: Path) -> None:
    """2 is corrected twice, 5 was never published; what was published stays where it is."""
    archive, revisions = house(tmp_path)
    revisions.write([candle(2, 2 * MINUTE, close=102.5)], 20 * SECOND)
    revisions.write([candle(2, 2 * MINUTE, close=100.5), candle(5, 5 * MINUTE)], 30 * SECOND)
    assert await closes(archive) == [101.5, 100.5, 101.5, 101.5]
    published = await archive.events("candle_closed", "DAX", 0, 99 * MINUTE)
    assert published == [candle(number, number * MINUTE) for number in (1, 2, 3)]


async def test_the_same_revision_again_changes_nothing(tmp_path: Path) -> None:
    """As after a crash: a file of the same name with the same rows."""
    archive, revisions = house(tmp_path)
    for _ in range(2):
        assert revisions.write([candle(2, 2 * MINUTE, close=102.5)], 20 * SECOND) == 1
    assert len(revisions.rows(revisions.months()).collect()) == 1
    assert await closes(archive) == [101.5, 102.5, 101.5]


async def test_sql_knows_what_was_revised(tmp_path: Path) -> None:
    """candles is the newest word, candle_closed what was published, candle_revised the rest."""
    archive, revisions = house(tmp_path)
    revisions.write([candle(2, 2 * MINUTE, close=102.5)], 20 * SECOND)
    asked = "select close, is_revised from candles order by at"
    rows = [(101.5, False), (102.5, True), (101.5, False)]
    assert (await query(archive, asked)).rows() == rows
    assert (await query(archive, "select close from candle_closed"))["close"].sum() == 3 * 101.5
    assert (await query(archive, "select close from candle_revised"))["close"].to_list() == [102.5]


async def test_times_are_times_in_sql(tmp_path: Path) -> None:
    """Compared with a text, cut to the hour."""
    archive, _ = house(tmp_path)
    asked = "select count(*) as n from candles where at > '1970-01-01 00:01:00' and symbol = 'DAX'"
    assert (await query(archive, asked))["n"].item() == 2
    cut = "select date_trunc('hour', at) as hour, max(high) as high from candles group by 1"
    assert (await query(archive, cut)).rows() == [(moment(0), 103.0)]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("select price from candles", 'unable to find column "price"; candles has written_at, '),
        ("select 1 from prices", "relation 'prices' was not found; there are candles, inbox, "),
        ("selec", "sql parser error: Expected: an SQL statement, found: selec"),
        ("delete from tick", "only queries are answered"),
        ("drop table tick", "only queries are answered"),
        ("", "one .and only one. statement"),
    ],
)
async def test_a_wrong_query_is_told_in_one_line(tmp_path: Path, asked: str, why: str) -> None:
    """It names what there is."""
    archive, _ = house(tmp_path)
    with pytest.raises(QueryError, match=f"^{why}") as told:
        await query(archive, asked)
    assert "\n" not in str(told.value)


async def test_columns_that_came_later_are_empty_in_older_files(tmp_path: Path) -> None:
    """A file of a time when candles had no ticks is read as all others are."""
    archive, _ = house(tmp_path)
    shelf = Shelf(tmp_path, "test")
    path = shelf.path("candle_closed", "1970-01", (0, "0-0", "9-0"))
    path.parent.mkdir(parents=True)
    rows = await archive.partition_table("candle_closed", 0, (0, 99 * MINUTE))
    rows.drop("ticks").write_parquet(path)
    stored = archive.stored("candle_closed", ["1970-01"], {0: "99999-0"}).collect()
    assert stored["ticks"].to_list() == [None, None, None]
    assert stored.schema["ticks"] == pl.Int64()
