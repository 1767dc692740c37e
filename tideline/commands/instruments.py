"""``tideline instruments``: what can be watched, and what a symbol means."""

from datetime import date
from typing import Annotated, Any

import typer

from shared.clock import SystemClock
from shared.events.base import moment
from tideline.installed import insist
from tideline.terminal import Terminal, write_json
from tideline.trouble import MISUSED, Trouble

Symbol = Annotated[
    str | None, typer.Argument(help="In any usual way: DAX, GC=F, EUR/USD, MESZ6, NIFTY25NOVFUT.")
]
Kind = Annotated[str | None, typer.Option(help="Only these: index, fx, future and so on.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object an instrument.")]


def instruments(symbol: Symbol = None, kind: Kind = None, json: Json = False) -> None:
    """List instruments, or show one with its session and its names at providers.

    Futures and options by contract are not listed; ask for one by its symbol.
    """
    insist(["ingest"], "listing instruments")
    table = _table()
    if symbol is not None:
        _show(_found(table, symbol, moment(SystemClock().now()).date()), json=json)
        return
    for one in table.instruments:
        if kind not in (None, one.kind):
            continue
        if json:
            write_json(one.model_dump(mode="json"))
        else:
            Terminal().out(f"{one.symbol:<18}{one.kind:<11}{one.title}")


def _table() -> Any:
    from services.ingest.adapters.holidays import observed
    from services.ingest.adapters.sources import instruments as known
    from services.ingest.settings import IngestSettings

    section = IngestSettings.load().ingest
    return observed(known(section), section, SystemClock().now())


def _found(table: Any, symbol: str, today: date) -> Any:
    from services.ingest.domain.instruments import UnknownSymbol

    try:
        return table.resolve(symbol, today)
    except UnknownSymbol as error:
        raise Trouble(str(error), MISUSED) from error


def _show(one: Any, *, json: bool) -> None:
    from services.ingest.domain.lifetimes import last_day

    day = last_day(one)
    if json:
        told = {"last_day": None if day is None else day.isoformat()}
        write_json({**one.model_dump(mode="json"), **told})
        return
    session = one.session
    lines = {
        "title": one.title,
        "kind": one.kind,
        "session": f"{session.start}-{session.end} {session.zone}",
        "calendar": one.calendar or "none",
        "tick size": f"{one.tick_size:.{one.decimals}f}",
        "grace": f"{one.grace_ms} ms",
        **({} if day is None else {"last day": day.isoformat()}),
        **one.names,
    }
    Terminal().out(one.symbol)
    for name, value in lines.items():
        Terminal().out(f"  {name}: {value}")
