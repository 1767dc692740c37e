"""The pages that list every setting, and what Compose hands on: made of the settings classes.

``python -m tests.cli.settings_pages`` writes them anew.
"""

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from tests.cli.handed_on import compose
from tideline.catalogue import Setting, settings

ROOT = Path(__file__).parents[2]

_INTRODUCTION = """\
# Settings

Every setting is an environment variable. They are looked for in this order, and the first that is
found counts: a command's option, the environment, `.env` in the working directory, `tideline.toml`
(or the file that `TIDELINE_CONFIG` names), the default.

- A name that is not in the tables below is an error, so that a mistyped one is not silently
  ignored.
- Two underscores separate a section from its setting: `TIDELINE_INGEST__FEED` is `feed` in the
  table `[ingest]` of `tideline.toml`.
- Every setting can be kept in a file of its own: `REDIS_URL_FILE=/run/secrets/redis` reads the
  value from there. That is the way for secrets.
- Lists and tables are JSON, except where the text says otherwise.
- Units are the last part of a name: `_s` seconds, `_ms` milliseconds.

`tideline config check` tells what is wrong, `tideline config show` what is in force, secrets
masked. `.env.example` is a template with all of them.
"""
_TEMPLATE = """\
# Every setting of Tideline with its default; docs/settings.md says more.
# Copy this file to .env, keep that readable by you alone (chmod 600), and uncomment what you
# change.
"""


def page() -> str:
    """docs/settings.md."""
    return _INTRODUCTION + "".join(
        f"\n## {title}\n\n| setting | default | meaning |\n|---|---|---|\n"
        + "".join(f"| `{one.name}` | {_cell(one)} | {one.description} |\n" for one in group)
        for title, group in _groups()
    )


def example() -> str:
    """.env.example."""
    return _TEMPLATE + "".join(
        f"\n# --- {title} ---\n"
        + "".join(f"\n# {one.description}\n# {one.name}={one.default}\n" for one in group)
        for title, group in _groups()
    )


PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": page,
    ".env.example": example,
    "docker-compose.yml": compose,
}


def _groups() -> list[tuple[str, list[Setting]]]:
    """Settings by section, in the catalogue's order."""
    return [
        (title, list(group)) for title, group in groupby(settings(), key=lambda one: one.section)
    ]


def _cell(one: Setting) -> str:
    text = one.default.replace("|", "\\|")
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    for name, made in PAGES.items():
        (ROOT / name).write_text(made())
