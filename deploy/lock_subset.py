"""Prints the part of requirements.lock that one image needs, hashes included.

    python deploy/lock_subset.py                        what every service needs
    python deploy/lock_subset.py ingest                 the same and what the extra needs
    python deploy/lock_subset.py --beyond-core ingest   only what the extra adds to it

What each package is there for is read off the lock's own ``# via`` lines. The standard library is
enough.
"""

import re
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent.parent
_BEYOND = "--beyond-core"
_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def main(arguments: list[str]) -> None:
    """Write the entries to standard output."""
    extras = [argument for argument in arguments if argument != _BEYOND]
    project = tomllib.loads((_HERE / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    unknown = sorted(set(extras) - optional.keys())
    if unknown:
        sys.exit(f"no extra {', '.join(unknown)} in pyproject.toml")
    entries = _entries((_HERE / "requirements.lock").read_text("utf-8"))
    core = _needed(entries, project["dependencies"])
    wanted = _needed(entries, [*project["dependencies"], *_required(project, extras)])
    left_out = core if _BEYOND in arguments else set()
    sys.stdout.write("".join(entries[name] for name in entries if name in wanted - left_out))


def _required(project: dict[str, Any], extras: list[str]) -> list[str]:
    """What extras ask for; where one names others of the project itself, what those ask for."""
    found: list[str] = []
    left = list(extras)
    seen: set[str] = set()
    while left:
        extra = left.pop()
        if extra in seen:
            continue
        seen.add(extra)
        for text in project["optional-dependencies"][extra]:
            if _name(text) == project["name"]:
                left += re.findall(r"[\w-]+", text.partition("[")[2].partition("]")[0])
            else:
                found.append(text)
    return found


def _needed(entries: dict[str, str], requirements: list[str]) -> set[str]:
    """Names of the packages required, and of all that they need in turn."""
    wanted = {_name(text) for text in requirements}
    parents = {name: _parents(text) for name, text in entries.items()}
    while more := {name for name, via in parents.items() if via & wanted} - wanted:
        wanted |= more
    return wanted


def _entries(lock: str) -> dict[str, str]:
    starts = [match.start() for match in _ENTRY.finditer(lock)] + [len(lock)]
    texts = [lock[start:end] for start, end in pairwise(starts)]
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
