"""``tideline db``: the tables of services, brought to this release's revision and back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from tideline.installed import SERVICES
from tideline.settings import LauncherSettings
from tideline.tables import folders, kept
from tideline.terminal import Terminal, write_json
from tideline.trouble import MISUSED, Trouble, listed

Json = Annotated[bool, typer.Option("--json", help="One JSON object a service.")]
Service = Annotated[str | None, typer.Option(help="Only this one's tables.")]


def group() -> typer.Typer:
    """All three commands."""
    app = typer.Typer(
        no_args_is_help=True, help="Migrate tables; services also do it by themselves."
    )
    for command in (upgrade, current, downgrade):
        app.command()(command)
    return app


def upgrade(service: Service = None, json: Json = False) -> None:
    """Bring tables to this release's revision."""

    async def act(store: Any) -> dict[str, str]:
        before, after = await store.upgrade()
        return {"before": before, "revision": after}

    _run(service, act, json=json)


def current(service: Service = None, json: Json = False) -> None:
    """Show the revision that tables are at, and this release's."""

    async def act(store: Any) -> dict[str, str]:
        return {"revision": await store.current(), "newest": store.migrations.newest}

    _run(service, act, json=json)


def downgrade(
    service: Annotated[str, typer.Argument(help="Whose tables.")],
    revision: Annotated[str, typer.Argument(help="A revision, or base for no tables at all.")],
    json: Json = False,
) -> None:
    """Take tables back to an older release's revision; what only newer ones hold is lost.

    Stop the service first: it would bring them up again.
    """

    async def act(store: Any) -> dict[str, str]:
        before, after = await store.downgrade(revision)
        return {"before": before, "revision": after}

    _run(service, act, json=json)


def _run(
    service: str | None, act: Callable[[Any], Awaitable[dict[str, str]]], *, json: bool
) -> None:
    chosen = _chosen(service)
    settings = LauncherSettings.load()
    asyncio.run(_each(chosen, kept(settings), act, json=json))


async def _each(
    chosen: dict[str, Path],
    settings: LauncherSettings,
    act: Callable[[Any], Awaitable[dict[str, str]]],
    *,
    json: bool,
) -> None:
    from shared.store.errors import StoreError
    from shared.store.store import Store

    for name, folder in chosen.items():
        try:
            store = Store(name, settings, folder)
            try:
                told = {"service": name, **await act(store), "where": store.address.where}
            finally:
                await store.close()
        except StoreError as error:
            raise Trouble(str(error)) from error
        if json:
            write_json(told)
        else:
            Terminal().out(_line(told))


def _line(told: dict[str, str]) -> str:
    line = f"{told['service']}: revision {told['revision']}"
    if "before" in told:
        moved = told["before"] != told["revision"]
        line += f", was {told['before']}" if moved else ", as it was"
    elif told["newest"] != told["revision"]:
        line += f", this release's is {told['newest']}: run `tideline db upgrade`"
    return f"{line} ({told['where']})"


def _chosen(service: str | None) -> dict[str, Path]:
    known = folders()
    if not known:
        raise Trouble("no service of this installation has tables")
    if service is None:
        return known
    if service not in known:
        problem = "has no tables" if service in SERVICES else "is no service"
        raise Trouble(f"{service} {problem}; those with tables here are {listed(known)}", MISUSED)
    return {service: known[service]}
