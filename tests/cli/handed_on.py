"""The blocks of docker-compose.yml that hand settings on to the service they belong to.

``python -m tests.cli.settings_pages`` writes them anew: Compose passes on no name that the file
does not hold, so that a setting left out would be ignored without a word.
"""

import re
from pathlib import Path

from tideline.catalogue import settings

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
_BLOCK = re.compile(
    r"^(?P<begin> +# handed on: (?P<section>\w+)\n).*?(?P<end>^ +# handed on: end$)", re.M | re.S
)
_INDENT = " " * 6


def compose() -> str:
    """The file with every block up to date; all else stays as it is."""
    text = COMPOSE.read_text("utf-8")

    def block(found: re.Match[str]) -> str:
        names = [one.name for one in settings() if one.section == found["section"]]
        # Those with a value of the file's own stand outside the block.
        lines = [f"{_INDENT}{name}:\n" for name in names if not _has_value(text, name)]
        return found["begin"] + "".join(lines) + found["end"]

    return _BLOCK.sub(block, text)


def _has_value(text: str, name: str) -> bool:
    return re.search(rf"^{_INDENT}{name}: \S", text, re.M) is not None
