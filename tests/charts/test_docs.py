"""docs/charts.md says what is so."""

import re

from fastapi import FastAPI

from services.charts.adapters.sockets import CLOSE_INVALID, CLOSE_NOT_FOUND, CLOSE_TRY_LATER
from services.charts.domain import messages
from services.charts.domain.book import Book, Capacity
from services.charts.settings import ChartsSection
from tests.charts.feed import public_app, ready_hub
from tests.charts.made import KEY, alert, closed, reading, signal
from tests.tidy.tree import text

PAGE = text("docs/charts.md")


def row(first: str) -> list[str]:
    """The cells of the table row that begins with this."""
    for line in PAGE.splitlines():
        if line.startswith(f"| {first} |"):
            return [cell.strip() for cell in line.strip("| ").split(" | ")]
    raise AssertionError(f"docs/charts.md has no row {first}")


def test_every_setting_is_documented_with_its_default() -> None:
    """The settings table says what settings.py says."""
    for name, field in ChartsSection.model_fields.items():
        assert row(f"`{name}`")[1:] == [f"{field.default:g}", field.description]


def test_every_message_is_documented_with_its_fields() -> None:
    """Each field that a message has is named in its row."""
    book = Book(Capacity())
    for event in (closed(0), reading(0, 1.2), signal(1), alert(1)):
        book.apply(event)
    newest = book.newest(KEY)
    assert newest is not None
    told = {
        "hello": messages.hello(book, KEY, 5),
        "full_update": messages.full_update(book, KEY, newest),
        "candle_update": messages.candle_update(book, KEY, newest),
        "signal": messages.signal(signal(1)),
        "alert": messages.alert(book, alert(1)),
        "ping": messages.ping(False, 0),
        "error": messages.refusal(404, ""),
    }
    for kind, message in told.items():
        fields = set(re.findall(r"`(\w+)`", row(f"`{kind}`")[2]))
        assert set(message) - {"type"} <= fields, kind


def test_every_route_is_documented() -> None:
    """Each path of the API has its row."""
    paths = application(public_app(ready_hub([]))).openapi()["paths"]
    assert paths
    assert [path for path in paths if f"`GET {path}" not in PAGE] == []


def application(app: object) -> FastAPI:
    """The application below the middlewares."""
    while not isinstance(app, FastAPI):
        app = getattr(app, "app", None) or app._app  # type: ignore[attr-defined]
    return app


def test_close_codes_are_documented() -> None:
    """Each code that a refusal closes with is explained."""
    for code in (CLOSE_INVALID, CLOSE_NOT_FOUND, CLOSE_TRY_LATER):
        assert str(code) in PAGE
