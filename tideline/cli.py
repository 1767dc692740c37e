"""The ``tideline`` command: what it understands, and how it ends."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from tideline.interrupt import Interrupted
from tideline.terminal import Terminal, without_colour
from tideline.trouble import INTERRUPTED, MISUSED, Trouble, told

COMMANDS = (
    "demo",
    "up",
    "run",
    "tail",
    "topics",
    "preview",
    "sql",
    "backfill",
    "dlq",
    "readers",
    "instruments",
    "db",
    "doctor",
    "config",
    "healthcheck",
    "version",
)
_NO_COLOUR = "--no-color"


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 asked wrongly, 130 interrupted."""
    sys.exit(outcome(sys.argv[1:]))


def outcome(arguments: list[str]) -> int:
    """Run the command line; whatever goes wrong is one line on stderr."""
    if _NO_COLOUR in arguments:
        without_colour()
    arguments = [argument for argument in arguments if argument != _NO_COLOUR]
    try:
        code = command_line(_meant(arguments))(
            args=arguments, prog_name="tideline", standalone_mode=False
        )
        sys.stdout.flush()
    except typer.TyperException as error:
        return _misused(error)
    except (KeyboardInterrupt, Interrupted, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough. Nothing is left to be flushed into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 the last place where it can be told in one line
        return _failed(error)
    return code if isinstance(code, int) else 0


def command_line(names: Sequence[str] = COMMANDS) -> typer.Typer:
    """These commands; importing one takes time, which a health check has none of."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Price-level alerts: prices in, candles, levels, signals and alerts out.",
    )
    app.callback()(_everywhere)
    for name in names:
        module = import_module(f"tideline.commands.{name}")
        if hasattr(module, "group"):
            app.add_typer(module.group(), name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


def _meant(arguments: Sequence[str]) -> Sequence[str]:
    """The one command that the arguments begin with, or all."""
    return [name for name in COMMANDS if arguments[:1] == [name]] or COMMANDS


def _everywhere(
    no_color: Annotated[
        bool, typer.Option(_NO_COLOUR, help="No colours, as with NO_COLOR; may stand anywhere.")
    ] = False,
) -> None:
    pass


def _misused(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    path = "tideline" if context is None else context.command_path
    if error.message.startswith("Usage:"):  # asked nothing at all
        Terminal().out(error.message)
        return MISUSED
    message = " ".join(error.format_message().split())
    Terminal().say(f"{path}: {message.rstrip('.')}; see `{path} --help`")
    return MISUSED


def _failed(error: Exception) -> int:
    trouble = told(error)
    if os.environ.get("LOG_LEVEL", "").lower() == "debug" and not isinstance(error, Trouble):
        traceback.print_exception(error)
    Terminal().say(f"tideline: {trouble}", style="red")
    return trouble.code
