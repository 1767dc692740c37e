"""``tideline sql``: ask everything that was recorded, and what the log holds beyond it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shared.bus.keys import Keys
from shared.events.base import micros, stamp
from tideline.access import access, opened
from tideline.interrupt import interruptible
from tideline.readable import number
from tideline.rundir import running
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json
from tideline.trouble import MISUSED, Trouble

if TYPE_CHECKING:
    from shared.archive.reader import Archive


def sql(
    statement: Annotated[str, typer.Argument(help='For instance "select * from candles limit 5".')],
    stored: Annotated[
        bool, typer.Option("--stored", help="Only what is on disk; needs no server.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
) -> None:
    """Answer a query over all topics, each a table, and `candles`, the newest word on each."""
    if find_spec("polars") is None:
        raise Trouble("`tideline sql` needs polars: pip install 'tideline[ingest]'")
    asyncio.run(interruptible(_sql(statement, stored=stored, json=json)))


def place(settings: LauncherSettings) -> Path:
    """Where the archive lies: as set, else beside the data of the launcher at work here.

    A demo has one of its own, whatever is set.
    """
    here = running(settings.launcher.run_dir) if settings.given_redis_url is None else []
    told = here[-1].environment if here else {}
    if "TIDELINE_ARCHIVE_DIR" in told:
        return Path(told["TIDELINE_ARCHIVE_DIR"])
    if settings.archive_dir is not None:
        return settings.archive_dir
    data = settings.given_data_dir
    if data is None and "TIDELINE_DATA_DIR" in told:
        data = Path(told["TIDELINE_DATA_DIR"])
    return (data or settings.launcher.state_dir.absolute() / "data") / "archive"


async def _sql(statement: str, *, stored: bool, json: bool) -> None:
    from shared.archive.files import ArchiveError
    from shared.archive.tables import QueryError, query

    terminal = Terminal()
    async with _archive(LauncherSettings.load(), terminal, stored=stored) as archive:
        try:
            found = await query(archive, statement)
        except QueryError as error:
            raise Trouble(str(error), MISUSED) from None
        except ArchiveError as error:
            raise Trouble(str(error)) from None
    if json:
        for row in found.iter_rows(named=True):
            write_json(row)
        return
    rows = [[_cell(value) for value in row] for row in found.iter_rows()]
    terminal.table(found.columns, rows)


@asynccontextmanager
async def _archive(
    settings: LauncherSettings, terminal: Terminal, *, stored: bool
) -> "AsyncIterator[Archive]":
    from shared.archive.reader import Archive

    folder = place(settings)
    is_alone = settings.given_redis_url is None and not running(settings.launcher.run_dir)
    if is_alone and not stored:
        terminal.say("no tideline is running here: only what is on disk is asked")
    if stored or is_alone:
        yield Archive.at(folder, keys_of(settings), None)
        return
    async with opened(access(settings)) as log:
        yield Archive.at(folder, log.keys, log.redis)


def keys_of(settings: LauncherSettings) -> Keys:
    """The namespace that is meant where no server is asked."""
    here = running(settings.launcher.run_dir)
    if here and settings.given_redis_url is None and not settings.has_own_namespace:
        return Keys(here[-1].namespace, settings.partitions)
    return settings.keys


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return stamp(micros(value))
    return number(value) if isinstance(value, float) else str(value)
