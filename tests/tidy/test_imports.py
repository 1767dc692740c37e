"""Who may know whom, beyond what a linter's rules can say."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from tests.tidy.tree import ROOT, imports, python_files, tree

# What the standard library offers of clocks, chance and the outside world.
IMPURE = {
    "asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib", "queue",
    "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "sys", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
# orjson writes and reads saved state: a calculation, no I/O.
DOMAIN_MAY_IMPORT = {"numpy", "orjson", "polars", "pydantic", *(sys.stdlib_module_names - IMPURE)}
DOMAIN_MAY_IMPORT_SHARED = ("shared.events", "shared.market", "shared.bus.step")
DOMAIN = re.compile(r"services/(\w+)/domain(/|\.py$)")


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def drawn_from_random(node: ast.AST) -> list[str]:
    """The names that a node takes out of the random module."""
    match node:
        case ast.Attribute(value=ast.Name(id="random"), attr=name):
            return [name]
        case ast.ImportFrom(module="random", names=names):
            return [alias.name for alias in names]
        case _:
            return []


def test_import_contracts_hold() -> None:
    """Services, their rooms and shared know only what the contracts in pyproject.toml allow."""
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_domains_are_pure() -> None:
    """A domain imports calculations and shared types: no clock, no log, no I/O, no chance."""
    impure = [
        f"{name} imports {module}"
        for name in python_files("services/")
        if (domain := DOMAIN.match(name))
        for module in imports(name)
        if module.partition(".")[0] not in DOMAIN_MAY_IMPORT
        and not within(module, f"services.{domain[1]}.domain", *DOMAIN_MAY_IMPORT_SHARED)
    ]
    assert impure == []


def test_chance_in_tests_has_a_seed() -> None:
    """Tests draw from random.Random(seed) only, so that every failure can be seen again."""
    unseeded = [
        f"{name}: random.{drawn}"
        for name in python_files("tests/", "benchmarks/")
        for node in ast.walk(tree(name))
        for drawn in drawn_from_random(node)
        if drawn != "Random"
    ]
    assert unseeded == []
