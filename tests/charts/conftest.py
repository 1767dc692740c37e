"""Fixtures of the tests that drive the page."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.charts.browsing import Feed

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def history() -> Feed:
    """Made once, for it takes a moment; tests only add to it."""
    return Feed()


@pytest.fixture
def feed(history: Feed) -> Feed:
    history.new_reader()
    return history


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """The system's Chromium; the test is skipped where there is none, or no Playwright."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.async_api", reason="Playwright is not installed")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=found, args=ARGUMENTS, timeout=120_000
        )
        yield browser
        await browser.close()


@pytest.fixture
def library() -> None:
    """The page needs its one package; ``make setup`` installs it."""
    page = Path(__file__).parents[2] / "services/charts/page"
    if not (page / "node_modules/lightweight-charts").is_dir():
        pytest.skip("lightweight-charts is not installed: run make setup")
