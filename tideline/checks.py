"""What Tideline needs of a machine, checked one by one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from redis.exceptions import RedisError

from shared.bus.connection import complaint, masked, server_facts
from shared.bus.log import BusError
from shared.service.settings import SettingsError
from tideline import ports
from tideline.commands.config import complaints
from tideline.embedded import binary
from tideline.installed import installed, told
from tideline.readiness import ask
from tideline.rundir import running
from tideline.server import connected, warnings
from tideline.settings import LauncherSettings
from tideline.tables import folders, kept, standing
from tideline.trouble import Trouble

State = Literal["ok", "warn", "fail"]

_OLDEST_PYTHON = (3, 11)
_FREE_BYTES_MIN = 1_000_000_000
_MEMORY_SHARE_MAX = 0.8
_PAGE_PACKAGE = Path("page/node_modules/lightweight-charts/package.json")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, how it is, and how to mend it (empty if it is well)."""

    what: str
    state: State
    found: str
    mend: str = ""


async def all_findings(settings: LauncherSettings) -> list[Finding]:
    """Everything, in the order in which it matters."""
    return [
        _python(),
        *_settings(),
        *await _server(settings),
        Finding("services", "ok", f"{told()} installed"),
        _port(settings),
        *_page(),
        *await _tables(settings),
        *(_directory(path) for path in _directories(settings)),
    ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return Finding("python", "fail", version, "install Python 3.11 or newer")
    return Finding("python", "ok", version)


def _settings() -> Iterator[Finding]:
    wrong = complaints()
    yield from (Finding("settings", "fail", line) for line in wrong)
    if not wrong:
        yield Finding("settings", "ok", "every one is known and well formed")


async def _server(settings: LauncherSettings) -> list[Finding]:
    if settings.given_redis_url is None:
        return [_embedded()]
    return await _given(settings.given_redis_url)


def _embedded() -> Finding:
    try:
        command = [str(binary()), "--version"]
        reply = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (Trouble, OSError, subprocess.SubprocessError) as error:
        return Finding("embedded server", "fail", str(error), "run `make setup` or set REDIS_URL")
    return Finding("embedded server", "ok", reply.stdout.split(" sha=")[0].strip())


async def _given(url: str) -> list[Finding]:
    where = f"REDIS_URL {masked(url)}"
    try:
        redis = connected(url)
    except Trouble as error:
        return [Finding("server", "fail", str(error))]
    try:
        facts = await server_facts(redis, url)
        memory = await redis.info("memory")
    except (BusError, RedisError, OSError) as error:
        return [Finding("server", "fail", str(error))]
    finally:
        await redis.aclose()
    version = ".".join(map(str, facts.version))
    found = [Finding("server", "ok", f"{where} is {facts.name} {version}")]
    reason = complaint(facts)
    if reason is not None:
        found.append(Finding("server", "fail", reason))
    found += [Finding("server", "warn", line) for line in warnings(facts)]
    return [*found, _memory(memory)]


def _memory(memory: dict[str, int]) -> Finding:
    used, limit = int(memory.get("used_memory", 0)), int(memory.get("maxmemory", 0))
    shown = f"{used / 1e6:,.0f} MB used"
    if limit == 0:
        return Finding("memory", "ok", f"{shown}, no limit set")
    shown = f"{shown} of {limit / 1e6:,.0f} MB"
    if used > _MEMORY_SHARE_MAX * limit:
        return Finding("memory", "warn", shown, "raise maxmemory, or every write will be refused")
    return Finding("memory", "ok", shown)


def _port(settings: LauncherSettings) -> Finding:
    host, port = settings.public_host, settings.public_port
    reason = ports.complaint(host, port)
    if reason is None:
        return Finding("port", "ok", f"{port} on {host} is free")
    for one in running(settings.launcher.run_dir):
        if one.page.endswith(f":{port}"):
            return Finding("port", "ok", f"{port} serves `tideline {one.mode}` (pid {one.pid})")
    internal = settings.internal_port
    if ask("127.0.0.1", internal, "/livez").ready:
        return Finding("port", "ok", f"{port} is in use, and a service answers on {internal} here")
    return Finding("port", "fail", reason)


def _page() -> Iterator[Finding]:
    if "charts" not in installed():
        return
    spec = find_spec("services.charts")
    folder = Path((spec.submodule_search_locations or [""])[0] if spec else "")
    if (folder / _PAGE_PACKAGE).is_file():
        yield Finding("page", "ok", "its packages are installed")
        return
    yield Finding(
        "page", "fail", "lightweight-charts is not installed", "run `make setup`, which runs npm ci"
    )


async def _tables(settings: LauncherSettings) -> list[Finding]:
    """Where the services here keep tables; nothing to mend where there are none yet."""
    found = []
    for name, folder in folders().items():
        from shared.store.errors import StoreError

        try:
            shown = await standing(kept(settings), name, folder)
        except (StoreError, SettingsError) as error:
            found.append(Finding("tables", "fail", str(error), "start it or correct DATABASE_URL"))
        else:
            found.append(Finding("tables", "ok", shown))
    return found


def _directories(settings: LauncherSettings) -> Iterator[Path]:
    yield settings.launcher.run_dir
    if settings.given_redis_url is None:
        yield settings.launcher.state_dir.absolute()


def _directory(path: Path) -> Finding:
    """It, or the nearest that it would be made in."""
    there = next(one for one in (path, *path.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding("disk", "fail", f"{there} cannot be written to", "mend its permissions")
    free = shutil.disk_usage(there).free
    shown = f"{path}, {free / 1e9:,.1f} GB free"
    if free < _FREE_BYTES_MIN:
        return Finding("disk", "warn", shown, "free some space: a full disk stops the log")
    return Finding("disk", "ok", shown)
