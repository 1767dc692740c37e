"""What the page's files must and must not hold."""

import re

from tests.tidy.tree import ROOT

PAGE = ROOT / "services/charts/page"
ASSETS = PAGE / "assets"
SCRIPTS = sorted(ASSETS.glob("*.js"))
DOCUMENTS = [PAGE / "index.html", PAGE / "docs.html"]
LINES_MAX = 300


def test_nothing_is_inline() -> None:
    """The content security policy allows no inline script or style, so there is none."""
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text) == []
        assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []


def test_nothing_is_fetched_from_elsewhere() -> None:
    """The only foreign address is the attribution link; every other one is relative."""
    for file in [*DOCUMENTS, *ASSETS.iterdir()]:
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {"https://www.tradingview.com/"}
        assert re.findall(r"""(?:src|href)=["']/""", text) == []
        assert re.findall(r"""(?:fetch|import)\(?\s*["'`]/""", text) == []


def test_every_element_that_is_looked_for_exists() -> None:
    """A script names no id that the documents lack."""
    ids = {i for file in DOCUMENTS for i in re.findall(r'\sid="([\w-]+)"', file.read_text("utf-8"))}
    wanted = {
        i for file in SCRIPTS for i in re.findall(r'byId\("([\w-]+)"\)', file.read_text("utf-8"))
    }
    assert wanted
    assert wanted - ids == set()


def test_text_is_never_read_as_markup() -> None:
    """What comes from the outside is put in as text, so that it cannot become an element."""
    for file in SCRIPTS:
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML", file.read_text("utf-8")) == []


def test_attribution_is_shown() -> None:
    """The page names TradingView as the chart's maker and links to it, as the licence asks."""
    text = (PAGE / "index.html").read_text("utf-8")
    assert "TradingView Lightweight Charts™" in text
    assert 'href="https://www.tradingview.com/"' in text
    assert "Not financial advice" in text


def test_modules_are_small() -> None:
    """Every file of the page's scripts can be read at once and says what it is for."""
    assert SCRIPTS
    for file in SCRIPTS:
        text = file.read_text("utf-8")
        assert text.startswith("/** "), file.name
        assert len(text.splitlines()) <= LINES_MAX, file.name


def test_text_has_contrast() -> None:
    """In both colour schemes text reaches 4.5:1 (WCAG 2.2, 1.4.3) on all that it stands on."""
    text = (ASSETS / "style.css").read_text("utf-8")
    schemes = [
        dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)
    ]
    assert len(schemes) == 2
    inks = ("text", "muted", "accent", "up", "down", "resistance", "support", "pivot", "caution")
    weak = [
        f"{scheme['page']}: {ink} on {ground} {ratio:.2f}"
        for scheme in schemes
        for ink in inks
        for ground in ("page", "panel", "raised")
        if (ratio := contrast(scheme[ink], scheme[ground])) < 4.5
    ]
    assert weak == []


def contrast(one: str, other: str) -> float:
    """The ratio of two colours as WCAG 2.2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
