"""``tideline healthcheck``: what a container engine asks."""

from typing import Annotated

import typer

from shared.service.settings import ServiceSettings
from tideline.readiness import ask
from tideline.terminal import Terminal
from tideline.trouble import FAILED

_ANY = {"0.0.0.0", "::", ""}  # noqa: S104


def healthcheck(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Instead of TIDELINE_INTERNAL_PORT.")
    ] = None,
) -> None:
    """Ask the service of this container whether it is ready; exit code 1 if it is not."""
    settings = ServiceSettings.load()
    host = "127.0.0.1" if settings.internal_host in _ANY else settings.internal_host
    answer = ask(host, settings.internal_port if port is None else port)
    Terminal().out(answer.reason)
    if not answer.ready:
        raise typer.Exit(FAILED)
