"""Driving the page in a real browser: a market to look at, tabs, and waiting for what they show."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from shared.events import AlertFired, Event
from tests.charts.feed import FedReader
from tests.charts.market import Market

HISTORY_S = 26 * 3600

# Other suites, and images being built, may have both cores of the machine for a while.
_PATIENCE_S = 120


class Feed:
    """A made-up market and everything that has come of it so far."""

    def __init__(self) -> None:
        self.market = Market(symbols=("EURUSD", "MES", "NIFTY 50"))
        self.past: list[Event] = self.market.advance(HISTORY_S)
        self.reader = self.new_reader()

    def new_reader(self) -> FedReader:
        """A reader that starts at the beginning, as after a restart."""
        self.reader = FedReader(list(self.past), self.market.views())
        return self.reader

    def advance(self, seconds: int) -> list[Event]:
        events = self.market.advance(seconds)
        self.past += events
        self.reader.feed(events)
        self.reader.shown = self.market.views()
        return events

    def advance_to_alert(self) -> AlertFired:
        """Let time pass until something fires."""
        for _ in range(2000):
            for event in self.advance(60):
                if isinstance(event, AlertFired):
                    return event
        raise AssertionError("the made-up market fired nothing")


@contextlib.asynccontextmanager
async def open_tab(browser: Any, **options: Any) -> AsyncIterator[tuple[Any, list[str]]]:
    """An empty tab, and what will have been complained about in it."""
    options = {"viewport": {"width": 1440, "height": 900}, **options}
    context = await browser.new_context(**options)
    context.set_default_timeout(_PATIENCE_S * 1000)
    tab = await context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    tab.on("console", lambda line: complaints.extend([line.text] * (line.type == "error")))
    yield tab, complaints
    await context.close()


@contextlib.asynccontextmanager
async def visit(browser: Any, address: str, **options: Any) -> AsyncIterator[Any]:
    """A tab on the page, live and filled; nothing may have been complained about at its end."""
    async with open_tab(browser, **options) as (tab, complaints):
        await tab.goto(address)
        await state(tab, "live")
        # Live is told by the greeting; what there is to see comes after it.
        await tab.wait_for_selector("#notice", state="hidden", timeout=_PATIENCE_S * 1000)
        yield tab
        assert complaints == []


async def state(tab: Any, wanted: str) -> None:
    """Wait for the live badge to say this."""
    await tab.wait_for_selector(f'#live[data-state="{wanted}"]', timeout=_PATIENCE_S * 1000)


async def eventually(tab: Any, expression: str) -> None:
    """Ask the page until this is true.

    Playwright's own waiting would evaluate text inside the page, which its policy forbids.
    """
    for _ in range(_PATIENCE_S * 20):
        if await tab.evaluate(expression):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"still not true after {_PATIENCE_S} s: {expression}")


def text_of(selector: str) -> str:
    """JavaScript for the text of an element."""
    return f"document.querySelector('{selector}').textContent"
