"""``tideline up``: everything on one machine."""

import asyncio
from typing import Annotated, Any

import typer

from shared.clock import SystemClock
from tideline.commands.config import loaded
from tideline.installed import SERVICES, insist
from tideline.launcher import Launch, Launcher, Site
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal

_RECORDER = "TIDELINE_INGEST__RECORDER"
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
    told = loaded()["ingest"]
    launch = Launch(
        mode="up",
        host=settings.public_host,
        port=settings.public_port if port is None else port,
        keys=settings.keys,
        redis_url=settings.given_redis_url,
        run_root=settings.launcher.run_dir,
        state=settings.launcher.state_dir.absolute(),
        data=settings.given_data_dir,
        environment=_keeping(told),
        verbose=verbose,
    )
    terminal = Terminal()

    async def work(site: Site) -> None:
        terminal.say(f"Tideline is up: {launch.page} (Ctrl-C stops it)")
        await site.stop.wait()

    asyncio.run(Launcher(launch, terminal, SystemClock()).run(work))


def _keeping(told: Any) -> dict[str, str]:
    """Everything is recorded, unless somebody has said whether it is to be."""
    return {} if "recorder" in told.ingest.model_fields_set else {_RECORDER: "true"}
