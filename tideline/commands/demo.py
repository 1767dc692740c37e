"""``tideline demo``: a market through all five services, without keys or accounts."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from shared.bus.keys import Keys
from shared.clock import SystemClock, nonce
from tideline.commands.config import loaded
from tideline.commands.up import Port, Verbose
from tideline.installed import SERVICES, insist
from tideline.launcher import Launch, Launcher
from tideline.market import Market
from tideline.performance import Performance, Played
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json
from tideline.trouble import FAILED, INTERRUPTED, listed

Seconds = Annotated[
    float | None, typer.Option(min=1, help="End so long after the services are up.")
]
Json = Annotated[bool, typer.Option("--json", help="A JSON object as the last line.")]
File = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        readable=True,
        help="Play recorded ticks or candles (CSV, Parquet) instead.",
    ),
]
Speed = Annotated[
    float | None, typer.Option(min=0, help="Times faster than life; 0 is as fast as it goes.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="Of the simulated market.")]
Symbol = Annotated[str | None, typer.Option(help="Of a file that has no such column.")]
Timeframe = Annotated[str | None, typer.Option(help="Of a candle file that has no such column.")]


def demo(
    seconds: Seconds = None,
    json: Json = False,
    file: File = None,
    speed: Speed = None,
    symbol: Symbol = None,
    timeframe: Timeframe = None,
    seed: Seed = None,
    port: Port = None,
    verbose: Verbose = False,
) -> None:
    """Show everything at work on a simulated market.

    Or on a file of recorded prices, with --file. Starts afresh each time and leaves nothing
    behind. Exit code 1 if any stage did nothing.
    """
    insist(SERVICES, "`tideline demo`")
    settings = LauncherSettings.load()
    market = Market(file, speed, seed, symbol, timeframe)
    loaded(ingest=market.settings)
    terminal = Terminal()
    clock = SystemClock()
    launch = _launch(settings, market, port, verbose)
    performance = Performance(launch, market, seconds, terminal, clock)
    played = asyncio.run(Launcher(launch, terminal, clock).run(performance.play))
    if played is None:
        raise typer.Exit(INTERRUPTED)
    _tell(terminal, market, played)
    if json:
        write_json({**asdict(played.totals), "market": market.name, "seconds": played.seconds})
    if played.totals.idle and not played.was_stopped:
        raise typer.Exit(FAILED)


def _launch(settings: LauncherSettings, market: Market, port: int | None, verbose: bool) -> Launch:
    given = settings.given_redis_url
    # On somebody's own server the demo keeps to itself.
    apart = given is not None and not settings.has_own_namespace
    return Launch(
        mode="demo",
        host=settings.public_host,
        port=settings.public_port if port is None else port,
        keys=Keys(f"demo-{nonce()}", settings.partitions) if apart else settings.keys,
        redis_url=given,
        run_root=settings.launcher.run_dir,
        throwaway=apart,
        # Whatever tables there are, a demo starts without and leaves none.
        environment={**market.environment, "DATABASE_URL": ""},
        verbose=verbose,
    )


def _tell(terminal: Terminal, market: Market, played: Played) -> None:
    totals = played.totals
    terminal.say(f"{played.seconds:g} s of {market.title}: {totals.sentence}")
    if totals.p50_ms is not None:
        terminal.say(f"from tick to alert: p50 {totals.p50_ms} ms, p99 {totals.p99_ms} ms")
    if totals.dead_letters:
        terminal.say(f"{totals.dead_letters} events were stepped over as dead letters")
    if totals.idle:
        terminal.say(f"there were no {listed(totals.idle)}")
