"""The page of the Compose project in a real browser."""

import asyncio
from typing import Any

import pytest

from shared.market.timeframes import LENGTH_US
from tests.charts.browsing import open_tab, text_of
from tests.charts.test_page import COLOURED, OPENS
from tests.containers.engine import MARKS, Project, docker, stop

pytestmark = [*MARKS, pytest.mark.browser]

ALERTS = "document.querySelectorAll('#alerts li').length"
_GOTO_MS = 300_000


async def until(tab: Any, expression: str, timeout_s: float = 300) -> None:
    """Ask the page until this is true: a market takes longer than a made-up one."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await tab.evaluate(expression):
                return
            await asyncio.sleep(0.1)


async def shows(tab: Any, state: str) -> None:
    """Wait for the live badge to say this."""
    await until(tab, f"document.querySelector('#live')?.dataset.state === '{state}'")


async def test_page_shows_live_candles_and_a_fired_alert(demo: Project, browser: Any) -> None:
    """It loads, the price moves, an alert is in the list, and nothing is complained about."""
    demo.await_healthy()
    async with open_tab(browser) as (tab, complaints):
        await tab.goto(f"{demo.page}/#EURUSD/1m", timeout=_GOTO_MS)
        await shows(tab, "live")
        await until(tab, f"({COLOURED})() > 500")
        await until(tab, f"{ALERTS} > 0")
        assert await tab.text_content("#unreal") == "Simulated"
        price = await tab.text_content("#price")
        await until(tab, f"{text_of('#price')} !== '{price}'")
        assert complaints == []


async def test_page_comes_back_after_a_restart_of_charts(demo: Project, browser: Any) -> None:
    """Candles that closed while charts was away are there, each of them once."""
    demo.await_healthy()
    [charts] = demo.containers("charts")
    minute = LENGTH_US["1m"]
    async with open_tab(browser) as (tab, complaints):
        await tab.goto(f"{demo.page}/#GBPUSD/1m", timeout=_GOTO_MS)
        await shows(tab, "live")
        await until(tab, f"({OPENS})().then((opens) => opens.length >= 10)")
        before = await tab.evaluate(OPENS)
        await asyncio.to_thread(stop, charts)
        await shows(tab, "reconnecting")
        await asyncio.to_thread(docker, "start", charts)
        await shows(tab, "live")
        beyond = before[-1] + 5 * minute
        await until(tab, f"({OPENS})().then((opens) => opens.at(-1) >= {beyond})")
        opens = await tab.evaluate(OPENS)
        first = opens.index(before[0]) if before[0] in opens else 0
        assert opens[first:] == list(range(opens[first], opens[-1] + 1, minute))
        assert set(opens) >= set(before[-10:])
        assert [one for one in complaints if one.startswith("error: ")] == []
