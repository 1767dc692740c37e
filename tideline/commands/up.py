"""``tideline up``: everything on one machine."""

import asyncio
from typing import Annotated

import typer

from shared.clock import SystemClock
from tideline.commands.config import loaded
from tideline.installed import SERVICES, insist
from tideline.launcher import Launch, Launcher, Site
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal

Port = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Of the page; else TIDELINE_PUBLIC_PORT, 8000.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every service's log.")]


def up(port: Port = None, verbose: Verbose = False) -> None:
    """Start all services on this machine.

    With an embedded server, unless REDIS_URL names one. Data and logs stay in .tideline
    (TIDELINE_LAUNCHER__STATE_DIR). Ctrl-C stops everything.
    """
    insist(SERVICES, "`tideline up`")
    settings = LauncherSettings.load()
    loaded()
    launch = Launch(
        mode="up",
        host=settings.public_host,
        port=settings.public_port if port is None else port,
        keys=settings.keys,
        redis_url=settings.given_redis_url,
        run_root=settings.launcher.run_dir,
        state=settings.launcher.state_dir.absolute(),
        verbose=verbose,
    )
    terminal = Terminal()

    async def work(site: Site) -> None:
        terminal.say(f"Tideline is up: {launch.page} (Ctrl-C stops it)")
        await site.stop.wait()

    asyncio.run(Launcher(launch, terminal, SystemClock()).run(work))
