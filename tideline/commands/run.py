"""``tideline run``: one service in this process."""

import os
import sys
from typing import Annotated

import typer

from shared.service.settings import environment
from tideline import ports
from tideline.installed import SERVICES, insist
from tideline.rundir import running
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal
from tideline.trouble import MISUSED, Trouble, listed


def run(
    service: Annotated[str, typer.Argument(help="One of " + ", ".join(SERVICES) + ".")],
) -> None:
    """Run one service: what each container does.

    Beside a running `tideline demo` or `tideline up` and without REDIS_URL it joins them as a
    further worker.
    """
    if service not in SERVICES:
        raise Trouble(f"there is no service {service!r}; choose {listed(SERVICES)}", MISUSED)
    insist([service], f"`tideline run {service}`")
    os.environ.update(_joining(service))
    # The same process from here on, so that signals and exit codes are the service's own.
    os.execv(sys.executable, [sys.executable, "-m", f"services.{service}"])  # noqa: S606


def _joining(service: str) -> dict[str, str]:
    """What leads to the launcher at work here, where no server is given."""
    settings = LauncherSettings.load()
    here = running(settings.launcher.run_dir)
    if settings.given_redis_url is not None or not here:
        return {}
    Terminal().say(f"joining the running `tideline {here[-1].mode}` (pid {here[-1].pid})")
    # The launcher's word counts, as it does for its own: all must decide on the same.
    found = {**here[-1].environment, "REDIS_URL": here[-1].redis_url}
    if not settings.has_own_namespace:
        found["TIDELINE_NAMESPACE"] = here[-1].namespace
    given = environment()
    for name in ("TIDELINE_INTERNAL_PORT", "TIDELINE_PUBLIC_PORT"):
        if name not in given:
            found[name] = str(ports.free_port())
    return found
