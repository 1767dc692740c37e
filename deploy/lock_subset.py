"""Prints the part of requirements.lock that one image needs, hashes included.

    python deploy/lock_subset.py ingest

The roots are the project's own dependencies and those of the named extras. What each package is
there for is read off the lock's own ``# via`` lines. The standard library is enough.
"""

import re
import sys
import tomllib
from pathlib import Path

_HERE = Path(__file__).parent.parent
_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def main(extras: list[str]) -> None:
    """Write the entries to standard output."""
    project = tomllib.loads((_HERE / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    unknown = sorted(set(extras) - optional.keys())
    if unknown:
        sys.exit(f"no extra {', '.join(unknown)} in pyproject.toml")
    wanted = {
        _name(text)
        for group in (project["dependencies"], *(optional[extra] for extra in extras))
        for text in group
    }
    entries = _entries((_HERE / "requirements.lock").read_text("utf-8"))
    parents = {name: _parents(text) for name, text in entries.items()}
    while more := {name for name, via in parents.items() if via & wanted} - wanted:
        wanted |= more
    sys.stdout.write("".join(text for name, text in entries.items() if name in wanted))


def _entries(lock: str) -> dict[str, str]:
    starts = [match.start() for match in _ENTRY.finditer(lock)] + [len(lock)]
    texts = [lock[start:end] for start, end in zip(starts, starts[1:], strict=False)]
    return {_name(text): text for text in texts}


def _parents(entry: str) -> set[str]:
    """The packages that need this one."""
    via = entry.partition("# via")[2]
    return {_name(line.strip(" #")) for line in via.splitlines() if line.strip(" #")}


def _name(requirement: str) -> str:
    """A requirement's package name, as the index spells it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;(]", requirement.strip())[0]).lower()


if __name__ == "__main__":
    main(sys.argv[1:])
