"""The pages about the command line and the settings are complete."""

from pathlib import Path

import pytest
from typer.main import get_command

from tests.cli import settings_pages
from tideline.catalogue import settings
from tideline.cli import COMMANDS, command_line

ROOT = Path(__file__).parents[2]


def section(page: str, name: str) -> str:
    """The text under a heading of the second rank."""
    return page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    """docs/cli.md has a section for each command that names its options or inner commands."""
    text = section((ROOT / "docs/cli.md").read_text(), command)
    described = get_command(command_line()).commands[command]  # type: ignore[attr-defined]
    names = list(getattr(described, "commands", {}))
    names += [option for param in described.params for option in param.opts if option[:1] == "-"]
    assert [name for name in names if f"`{name}" not in text and f" {name}" not in text] == []
    assert text


@pytest.mark.parametrize("name", settings_pages.PAGES)
def test_every_setting_is_documented(name: str) -> None:
    """docs/settings.md and .env.example show every setting as the code declares it."""
    hint = "run `python -m tests.cli.settings_pages` to write it anew"
    assert (ROOT / name).read_text() == settings_pages.PAGES[name](), hint


def test_every_setting_says_what_it_does() -> None:
    """No setting is left without a description."""
    assert [one.name for one in settings() if not one.description] == []
