"""The page's pure modules, tested where they run: in JavaScript."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT

NODE_OLDEST = 20


def node() -> str:
    """A Node.js that has a test runner; the test is skipped without one."""
    found = shutil.which("node", path=None) or str(ROOT / ".venv/bin/node")
    if not Path(found).exists():
        pytest.skip("no Node.js on this machine: the page's modules are tested in Chromium only")
    version = subprocess.run([found, "--version"], capture_output=True, check=True, text=True)
    if int(version.stdout.lstrip("v").partition(".")[0]) < NODE_OLDEST:
        pytest.skip(f"Node.js {version.stdout.strip()} is too old: {NODE_OLDEST} has a test runner")
    return found


@pytest.mark.parametrize("name", ["candles", "words"])
def test_modules_behave(name: str) -> None:
    """Every test of the module's own file passes."""
    file = Path(__file__).parent / "page" / f"{name}.test.mjs"
    run = subprocess.run(
        [node(), "--test", file], check=False, capture_output=True, text=True, timeout=240
    )
    assert run.returncode == 0, run.stdout + run.stderr
