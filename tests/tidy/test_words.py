"""Names use the words of the glossary, and tests say what they show."""

import ast
import re
from collections.abc import Iterator

from tests.tidy.tree import PRODUCT, Function, functions, python_files, text, tree

# "path::name" of a public name that has to use an avoided word, with the reason beside it.
EXCEPTIONS: set[str] = set()

VAGUE_MODULES = {"common", "helper", "helpers", "misc", "util", "utils"}


def avoided_words() -> set[str]:
    """The words in code type in the glossary's last column."""
    rows = [line.split("|") for line in text("docs/glossary.md").splitlines() if line[:1] == "|"]
    return {word for row in rows for word in re.findall(r"`(\w+)`", row[3])}


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, lower case and singular."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {part.lower().removesuffix("s") for part in parts}


def public_names(name: str) -> Iterator[str]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node.name


def test_public_names_avoid_what_the_glossary_avoids() -> None:
    """No public class or function is named with a word that the glossary avoids in code."""
    avoided = avoided_words()
    assert {"bar", "quote", "notification"} <= avoided
    offenders = {
        f"{name}::{public}"
        for name in python_files(*PRODUCT)
        for public in public_names(name)
        if words(public) & avoided
    }
    assert offenders == EXCEPTIONS


def test_module_names_say_their_job() -> None:
    """No module is a drawer for whatever has no place."""
    stems = {name: name.rpartition("/")[2].removesuffix(".py") for name in python_files(*PRODUCT)}
    assert [name for name, stem in stems.items() if stem in VAGUE_MODULES] == []


def test_every_test_states_a_behaviour() -> None:
    """Every test has a docstring that is a sentence."""
    silent = [
        f"{name}::{where}"
        for name in python_files("tests/")
        for where, function in functions(name)
        if function.name.startswith("test_")
        and not re.match(r"\S[^.]*\S.*[.:]", ast.get_docstring(function) or "")
    ]
    assert silent == []
