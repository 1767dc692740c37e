"""``tideline config``: which settings are in force, and are they right?"""

from typing import Annotated, Any

import typer

from shared.service.settings import ServiceSettings, SettingsError
from tideline.catalogue import settings, values
from tideline.installed import absent
from tideline.settings import classes
from tideline.terminal import Terminal, write_json
from tideline.trouble import FAILED, listed


def group() -> typer.Typer:
    """Both commands."""
    app = typer.Typer(no_args_is_help=True, help="Check and show the settings in force.")
    app.command()(check)
    app.command()(show)
    return app


def check() -> None:
    """Check the settings of every service that is installed; exit code 1 if one is wrong."""
    terminal = Terminal()
    wrong = complaints()
    for line in wrong:
        terminal.out(line)
    if wrong:
        raise typer.Exit(FAILED)
    terminal.out(f"all {len(settings())} settings are well")
    if absent():
        terminal.out(f"not checked, because they are not installed here: {listed(absent())}")


def show(
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Print every setting's value in force; secrets are masked."""
    found = values(loaded())
    if json:
        write_json(found)
        return
    for name, value in found.items():
        Terminal().out(f"{name}={value}")


def loaded(**given: dict[str, Any]) -> dict[str, ServiceSettings]:
    """Every service's settings as they are; what is ``given`` for a section comes first.

    Raises:
        SettingsError: one is wrong.
    """
    return {
        section: cls.load(**({section: given[section]} if section in given else {}))
        for section, cls in classes().items()
    }


def complaints() -> list[str]:
    """What is wrong with the settings of any service, each said once."""
    found: dict[str, None] = {}
    for cls in classes().values():
        try:
            cls.load()
        except SettingsError as error:
            found[str(error)] = None
    return list(found)
