"""``tideline doctor``: what is needed, is it there, and how to mend it."""

import asyncio
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from shared.service.settings import SettingsError
from tideline.checks import Finding, all_findings
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json
from tideline.trouble import FAILED

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Check what Tideline needs on this machine.

    Exit code 1 if something has to be mended, else 0.
    """
    try:
        settings = LauncherSettings.load()
    except SettingsError as error:
        findings = [Finding("settings", "fail", str(error), "`tideline config check` says more")]
    else:
        findings = asyncio.run(all_findings(settings))
    failed = any(one.state == "fail" for one in findings)
    if json:
        write_json({"ok": not failed, "findings": [asdict(one) for one in findings]})
    else:
        _show(findings)
    if failed:
        raise typer.Exit(FAILED)


def _show(findings: list[Finding]) -> None:
    terminal = Terminal()
    for one in findings:
        mend = f"; {one.mend}" if one.mend else ""
        terminal.out(f"{one.state:<4}  {one.what}: {one.found}{mend}", style=_STYLES[one.state])
    counts = Counter(one.state for one in findings)
    terminal.out(f"{counts['ok']} ok, {counts['warn']} to know, {counts['fail']} to mend")
