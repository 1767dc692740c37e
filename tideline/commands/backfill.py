"""``tideline backfill``: candles of the past from providers, into the archive and its charts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shared.clock import SystemClock
from shared.events.base import micros, moment
from tideline.access import access, opened
from tideline.commands.sql import keys_of, place
from tideline.installed import insist
from tideline.interrupt import interruptible
from tideline.rundir import running
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json
from tideline.trouble import MISUSED, Trouble

if TYPE_CHECKING:
    from services.ingest.adapters.backfilling import Backfilling
    from services.ingest.adapters.feeds.live.provider import Provider
    from shared.events import CandleClosed

Symbol = Annotated[str, typer.Argument(help="In any usual way: DAX, EUR/USD, MESZ6.")]
From = Annotated[str, typer.Option("--from", help="Date, or time with its zone: 2026-11-02.")]
To = Annotated[str | None, typer.Option("--to", help="Up to this date or time; else now.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object at the end.")]


def backfill(symbol: Symbol, since: From, until: To = None, json: Json = False) -> None:
    """Ask providers for the whole sessions of a stretch and keep their candles as revisions.

    Archive and charts show them in place of what was published. Indicators and signals never see
    them, so what was decided stays as it is.
    """
    insist(["ingest"], "`tideline backfill`")
    now = SystemClock().now()
    start, end = _time(since, "--from"), now if until is None else _time(until, "--to")
    if start >= end:
        raise Trouble(f"nothing lies between {since} and {until or 'now'}", MISUSED)
    asyncio.run(interruptible(_backfill(symbol, (start, end), json=json)))


async def _backfill(symbol: str, stretch: tuple[int, int], *, json: bool) -> None:
    from services.ingest.adapters.backfilling import Backfilling, Unfilled
    from services.ingest.adapters.holidays import observed
    from services.ingest.adapters.sources import instruments
    from services.ingest.domain.instruments import UnknownSymbol
    from services.ingest.settings import IngestSettings

    now = SystemClock().now()
    section = IngestSettings.load().ingest
    table = observed(instruments(section), section, now)
    try:
        instrument = table.resolve(symbol, moment(now).date())
    except UnknownSymbol as error:
        raise Trouble(str(error), MISUSED) from None
    async with _providers(section, instrument.kind) as providers:
        filling = Backfilling(instrument, providers, now)
        try:
            candles, counts = await _filled(filling, *stretch)
        except Unfilled as error:
            raise Trouble(str(error)) from None
    _keep(candles, now)
    told = {"symbol": instrument.symbol, "candles": len(candles), **counts}
    if json:
        write_json(told)
    else:
        Terminal().out(", ".join(f"{name} {value}" for name, value in told.items()))


async def _filled(
    filling: "Backfilling", since: int, until: int
) -> "tuple[list[CandleClosed], dict[str, int]]":
    """The candles of all sessions, with a bar that moves on a terminal."""
    from rich.progress import Progress

    from tideline.terminal import console

    spans = filling.sessions(since, until)
    err = console(stderr=True)
    candles: list[CandleClosed] = []
    empty = 0
    with Progress(console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("asking", total=len(spans))
        for span in spans:
            found = await filling.fill(span)
            candles += found.candles
            empty += not found.candles
            bar.update(task, advance=1, description=f"{found.span.day} {found.source}")
    return candles, {"sessions": len(spans), "empty": empty}


def _keep(candles: "list[CandleClosed]", now: int) -> None:
    from shared.archive.files import Shelf
    from shared.archive.revisions import Revisions

    settings = LauncherSettings.load()
    keys = keys_of(settings)
    Revisions(Shelf(place(settings), keys.namespace), keys.partitions).write(candles, now)


@asynccontextmanager
async def _providers(section: Any, kind: Any) -> "AsyncIterator[list[Provider]]":
    """The providers of a kind; credits are kept in a server, so where none is there they are not
    spent."""
    from services.ingest.adapters.budgets import SharedBudget
    from services.ingest.adapters.feeds.twelvedata.feed import TwelveData
    from services.ingest.adapters.feeds.yfinance.feed import Yfinance

    settings = LauncherSettings.load()
    made: dict[str, Provider] = {}
    chosen, paid = section.sources.of(kind), section.twelvedata
    if "yfinance" in chosen:
        made["yfinance"] = Yfinance(section.yfinance)
    is_there = settings.given_redis_url is not None or bool(running(settings.launcher.run_dir))
    try:
        if "twelvedata" not in chosen or paid.key is None or not is_there:
            yield list(made.values())
            return
        async with opened(access(settings)) as log:
            limits = (paid.credits_minute, paid.credits_day)
            budget = SharedBudget(log.redis, log.keys, "twelvedata", *limits)
            made["twelvedata"] = TwelveData(paid, budget, SystemClock())
            yield [made[name] for name in chosen if name in made]
    finally:
        for provider in made.values():
            await provider.close()


def _time(text: str, option: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Trouble(
            f"{option} {text} is no time; use a date such as 2026-11-02", MISUSED
        ) from None
    return micros(found if found.tzinfo is not None else found.replace(tzinfo=UTC))
