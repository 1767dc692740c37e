"""The tracked files of the repository, and what the tidy tests read out of them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("services/", "shared/", "tideline/")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[str, ...]:
    """Paths that git tracks and that exist, relative to the root; skips outside a checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files are ours")
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    names = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return tuple(name for name in names.split("\0") if name and (ROOT / name).is_file())


def python_files(*folders: str) -> list[str]:
    """Tracked Python files, all of them or those under the given folders."""
    return [name for name in tracked() if name.endswith(".py") and name.startswith(folders or "")]


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(text(name), filename=name)


def functions(name: str) -> Iterator[tuple[str, Function]]:
    """Every function of a file with its qualified name, nested ones too."""
    yield from _functions(tree(name), "")


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, Function | ast.ClassDef):
            inner = f"{prefix}{child.name}."
        if isinstance(child, Function):
            yield inner[:-1], child
        yield from _functions(child, inner)


def imports(name: str) -> Iterator[str]:
    """Everything that a file imports, by its full dotted name."""
    package = Path(name).parent.parts
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *filter(None, [node.module]))
            yield from (".".join((*module, alias.name)) for alias in node.names)
