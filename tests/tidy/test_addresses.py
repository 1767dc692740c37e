"""What is tracked can be built anywhere: it names no package registry and no machine."""

import json
import re

from tests.tidy.tree import ROOT, text, tracked

# Put together here, because this file is tracked too.
REGISTRIES = [
    ".".join(host)
    for host in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
]
MACHINE_PATHS = ["/" + "/".join(parts) for parts in (("root", ""), ("work", ""), ("opt", "pypi"))]
FORBIDDEN = re.compile(
    "|".join(
        [
            *map(re.escape, REGISTRIES),
            *(rf"(?<![\w.$}}]){re.escape(path)}" for path in MACHINE_PATHS),
            r"--(extra-)?index-url[ =]\w+:",
        ]
    )
)
BINARY = (".gz", ".ico", ".parquet", ".png", ".ttf", ".woff2", ".zip")


def test_no_registry_and_no_machine_is_named() -> None:
    """No tracked file holds a package registry's address or a path of somebody's machine."""
    found = [
        f"{name}:{number}: {match[0]}"
        for name in tracked()
        if not name.endswith(BINARY)
        for number, line in enumerate(text(name).splitlines(), start=1)
        if (match := FORBIDDEN.search(line))
    ]
    assert found == []


def test_python_lock_holds_names_and_hashes_only() -> None:
    """Every locked Python package is pinned and hashed, and the lock holds no address."""
    lock = text("requirements.lock")
    assert "://" not in lock
    pins = re.findall(r"^[^\s#].*", lock, flags=re.MULTILINE)
    assert pins
    assert [pin for pin in pins if "==" not in pin or not pin.endswith("\\")] == []


def test_page_lock_holds_names_and_hashes_only() -> None:
    """Every locked package of the page is pinned and hashed, and the lock holds no address."""
    lock = json.loads((ROOT / "services/charts/page/package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_no_lock_that_records_registries() -> None:
    """The lock files that record where packages came from stay out."""
    forbidden = {"uv.lock", "poetry.lock", "Pipfile.lock", "yarn.lock", "pnpm-lock.yaml"}
    assert [name for name in tracked() if name.rpartition("/")[2] in forbidden] == []
