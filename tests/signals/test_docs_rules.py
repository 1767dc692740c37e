"""The page about rules is true: every example on it is a rule, and it names every word."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from services.signals.adapters.rule_files import built_in_names
from services.signals.domain import conditions, kinds
from services.signals.domain.hours import SessionWindow, TimeWindow
from services.signals.domain.rules import RuleSet

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.partition('name = "')[2][:20])
def test_every_example_is_a_rule(text: str) -> None:
    """It is read as a rule file is; a name is given to a set that has none."""
    content = {"name": "example"} | tomllib.loads(text)
    assert RuleSet.model_validate(content).rules


def test_the_examples_are_found() -> None:
    """A page without examples would pass the test above."""
    assert len(EXAMPLES) >= 12


def words() -> set[str]:
    """Every kind of pattern, condition and window."""
    models = [*get_args(kinds.Pattern), conditions.AtClose, TimeWindow, SessionWindow]
    models += [
        conditions.Compare,
        conditions.Cross,
        conditions.Within,
        conditions.AtPrice,
        conditions.AtZone,
        conditions.Junction,
        conditions.Negation,
        conditions.Sequence,
    ]
    return {word for model in models for word in get_args(model.model_fields["kind"].annotation)}


@pytest.mark.parametrize("word", sorted(words()))
def test_every_word_of_the_language_is_on_the_page(word: str) -> None:
    """As a heading, or in code type."""
    assert re.search(rf"`{word}`|^### .*\b{word}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", built_in_names())
def test_every_built_in_set_has_its_row(name: str) -> None:
    """With what it looks for."""
    assert f"| `{name}`" in PAGE
