"""The page in a real browser, over the made-up market."""

import json
from typing import Any

import pytest

from services.charts.settings import ChartsSection
from tests.charts.browsing import Feed, eventually, open_tab, state, text_of, visit
from tests.charts.feed import serving
from tests.charts.made import MINUTE
from tests.ports import free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("library"),
]

# A page gives a connection up after two and a half pings without a message, and its browser
# complains of one that was not open yet: a server that is slow for a moment must not look dead.
SECTION = ChartsSection(views_period_ms=50, ping_s=60)
# How many pixels of the candles' canvas have the colour of a rising or falling candle.
COLOURED = """() => {
  const style = getComputedStyle(document.documentElement);
  const wanted = ["--up", "--down"].map((name) => style.getPropertyValue(name).trim())
    .map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  let count = 0;
  for (const canvas of document.querySelectorAll("#chart canvas")) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4)
      if (wanted.some(([r, g, b]) => data[i] === r && data[i + 1] === g && data[i + 2] === b))
        count += 1;
  }
  return count;
}"""
# The opens of the candles that the page holds; the module is the page's own instance.
OPENS = """async () => {
  const { page } = await import(new URL("assets/main.js", document.baseURI).href);
  return page.view.candles.all.map((candle) => candle.open_at);
}"""


async def test_page_shows_the_market(browser: Any, feed: Feed) -> None:
    """Candles are drawn, prices, levels and alerts told, and the simulation named, in silence."""
    async with serving(feed.reader, SECTION) as server, visit(browser, server.http + "/") as tab:
        assert await tab.text_content("#symbol") == "EURUSD"
        assert await tab.is_visible("#unreal")
        assert await tab.locator("#levels tr").count() > 3
        assert await tab.locator("#alerts li").count() > 0
        assert "(simulated) · Tideline" in await tab.title()
        await eventually(tab, f"({COLOURED})() > 500")


async def test_price_moves_with_the_market(browser: Any, feed: Feed) -> None:
    """The forming candle is shown without a reload."""
    async with serving(feed.reader, SECTION) as server, visit(browser, server.http + "/") as tab:
        feed.advance(5)
        price = f"{feed.market.walks['EURUSD'].price:.5f}"
        await eventually(tab, f"{text_of('#price')} === '{price}'")


async def test_list_and_chart_show_the_same_price_and_change(browser: Any, feed: Feed) -> None:
    """Of the chart's own symbol the list is as new as the chart, and does not wait to be asked."""
    of_list = "#markets a[aria-current] .change"
    async with serving(feed.reader, SECTION) as server, visit(browser, server.http + "/") as tab:
        await eventually(tab, f"{text_of('#change')} !== '' && {text_of(of_list)} !== ''")
        before = await tab.text_content("#change")
        await tab.route("**/api/v1/symbols", lambda _: None)  # never answered
        start = feed.market.walks["EURUSD"].price
        while abs(feed.market.walks["EURUSD"].price / start - 1) < 0.001:
            feed.advance(60)
        await eventually(tab, f"{text_of('#change')} !== {json.dumps(before)}")
        await eventually(tab, f"{text_of(of_list)} === {text_of('#change')}")


async def test_alert_arrives(browser: Any, feed: Feed) -> None:
    """It comes to the top of the list with its reason, and is told to screen readers."""
    async with serving(feed.reader, SECTION) as server, visit(browser, server.http + "/") as tab:
        fired = feed.advance_to_alert()
        words = fired.text.partition(f": {fired.symbol} ")[2][1:]
        await eventually(tab, f"{text_of('#alerts')}.includes({json.dumps(words)})")
        assert "Alert: " in await tab.text_content("#announcer")


async def test_restart_of_the_server_loses_and_doubles_nothing(browser: Any, feed: Feed) -> None:
    """The page says that it reconnects, comes back by itself, and its candles are whole."""
    port = free_port()
    async with open_tab(browser) as (tab, complaints):
        async with serving(feed.reader, SECTION, port=port) as first:
            await tab.goto(f"{first.http}/#MES/1m")
            await state(tab, "live")
        await state(tab, "reconnecting")
        feed.advance(600)
        async with serving(feed.new_reader(), SECTION, port=port):
            await state(tab, "live")
            feed.advance(120)
            last = feed.market.walks["MES"].forming["1m"].open_at
            await eventually(tab, f"({OPENS})().then((opens) => opens.at(-1) === {last})")
            opens = await tab.evaluate(OPENS)
    assert opens == list(range(opens[0], last + 1, MINUTE))
    assert [one for one in complaints if one.startswith("error: ")] == []


async def test_moving_into_the_past_brings_older_candles(browser: Any, feed: Feed) -> None:
    """History is fetched in pages that join what is there without a hole."""
    async with (
        serving(feed.reader, SECTION) as server,
        visit(browser, server.http + "/#MES/1m") as tab,
    ):
        await eventually(tab, f"({OPENS})().then((opens) => opens.length > 0)")
        before = await tab.evaluate(OPENS)
        await tab.focus("#chart")
        for _ in range(50):
            await tab.keyboard.press("ArrowLeft")
        await eventually(tab, f"({OPENS})().then((opens) => opens[0] < {before[0]})")
        opens = await tab.evaluate(OPENS)
    assert opens == list(range(opens[0], opens[-1] + 1, MINUTE))


async def test_chart_is_chosen_by_address_and_controls(browser: Any, feed: Feed) -> None:
    """The address names the chart; the controls change it, also from the keyboard."""
    async with (
        serving(feed.reader, SECTION) as server,
        visit(browser, server.http + "/#NIFTY%2050/15m") as tab,
    ):
        assert await tab.text_content("#symbol") == "NIFTY 50"
        await tab.focus("#timeframes input:checked")
        await tab.keyboard.press("ArrowRight")
        await eventually(tab, "location.hash === '#NIFTY%2050/1h'")
        await tab.click("#markets a:has-text('EURUSD')")
        await eventually(tab, "location.hash === '#EURUSD/1h'")
        # The address changes first; the badge may still be that of the chart before.
        await eventually(tab, f"{text_of('#symbol')} === 'EURUSD'")
        await state(tab, "live")


async def test_times_are_shown_in_the_zone_chosen(browser: Any, feed: Feed) -> None:
    """UTC at first; local time says which zone that is."""
    async with (
        serving(feed.reader, SECTION) as server,
        visit(browser, server.http + "/", timezone_id="Asia/Dubai") as tab,
    ):
        assert await tab.text_content("#zone-note") == "Times are UTC."
        utc = await tab.text_content("#alerts time")
        await tab.check("input[value=local]")
        assert await tab.text_content("#zone-note") == "Times are local time (Asia/Dubai)."
        local = await tab.text_content("#alerts time")
    minutes = [int(text[:2]) * 60 + int(text[3:5]) for text in (utc, local)]
    assert (minutes[1] - minutes[0]) % 1440 == 240


@pytest.mark.parametrize("width", [390, 900, 1440])
@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_page_fits_its_window(browser: Any, feed: Feed, width: int, scheme: str) -> None:
    """From a phone to a desk nothing is wider than the window, in both colour schemes."""
    size = {"width": width, "height": 900}
    async with (
        serving(feed.reader, SECTION) as server,
        visit(browser, server.http + "/", viewport=size, color_scheme=scheme) as tab,
    ):
        wide = "document.documentElement.scrollWidth"
        assert await tab.evaluate(wide) == width


async def test_page_works_under_a_path(browser: Any, feed: Feed) -> None:
    """Behind a proxy that puts it under a path, page, API and socket are found."""
    async with (
        serving(feed.reader, SECTION, path="/tideline") as server,
        visit(browser, server.http + "/tideline/") as tab,
    ):
        assert await tab.text_content("#symbol") == "EURUSD"
        await eventually(tab, f"({OPENS})().then((opens) => opens.length > 50)")


async def test_unknown_symbol_is_told(browser: Any, feed: Feed) -> None:
    """An address with a wrong symbol shows the server's own words."""
    async with serving(feed.reader, SECTION) as server, open_tab(browser) as (tab, complaints):
        await tab.goto(f"{server.http}/#EURUDS/5m")
        await eventually(tab, f"{text_of('#notice')}.includes('the nearest is EURUSD')")
        assert complaints == []


async def test_controls_have_names(browser: Any, feed: Feed) -> None:
    """Everything that can be focused says what it is."""
    async with serving(feed.reader, SECTION) as server, visit(browser, server.http + "/") as tab:
        nameless = await tab.evaluate(
            """() => [...document.querySelectorAll("a, button, input, [tabindex]")].filter((one) =>
            !(one.closest("label") ?? one).textContent.trim() && !one.ariaLabel &&
            !one.getAttribute("aria-labelledby")).map((one) => one.outerHTML)"""
        )
    assert nameless == []


async def test_api_page_lists_every_route(browser: Any, feed: Feed) -> None:
    """The API describes itself, without anything from elsewhere."""
    async with serving(feed.reader, SECTION) as server, open_tab(browser) as (tab, complaints):
        await tab.goto(f"{server.http}/docs")
        await tab.wait_for_selector(".route:has-text('/api/v1/candles')")
        assert await tab.locator(".route").count() == 7
        assert complaints == []
