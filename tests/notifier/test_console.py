"""The console channel."""

import io
import json

import pytest

from services.notifier.adapters.channels.console import ConsoleChannel
from services.notifier.domain.delivery import Delivered, Rejected
from tests.notifier.samples import an_intent

DEMO = "tick:EURUSD:demo:2026-11-20T09:15:03Z:7"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


async def test_a_pipe_gets_plain_lines() -> None:
    """One alert, one line, no escape codes."""
    stream = io.StringIO()
    assert await ConsoleChannel(stream).send(an_intent()) == Delivered()
    assert stream.getvalue() == (
        "ALERT EURUSD touched yesterday's high 1.08512 · short · liquidity.previous-day-touch · "
        "2026-11-20 09:15:03Z\n"
    )


async def test_simulated_prices_are_called_so() -> None:
    """Nobody can mistake the demo's market for a real one."""
    for stream in (io.StringIO(), Terminal()):
        await ConsoleChannel(stream).send(an_intent(cause=DEMO))
        assert "SIMULATED" in stream.getvalue()
        assert stream.getvalue().count("\n") == 1


async def test_a_terminal_gets_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short is red, long is green."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for direction, colour in (("short", "31"), ("long", "32")):
        stream = Terminal()
        await ConsoleChannel(stream).send(an_intent(direction=direction))
        assert f"\x1b[1;{colour}m" in stream.getvalue()


async def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves the colours out."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    await ConsoleChannel(stream).send(an_intent())
    assert "31m" not in stream.getvalue()


async def test_markup_in_a_name_is_shown_as_it_is() -> None:
    """Square brackets are letters here."""
    stream = Terminal()
    await ConsoleChannel(stream).send(an_intent(reason="DAX [red]touched[/red] 1"))
    assert "[red]touched[/red]" in stream.getvalue()


async def test_long_lines_are_not_wrapped() -> None:
    """A line stays a line, however narrow the terminal."""
    stream = Terminal()
    await ConsoleChannel(stream).send(an_intent(reason="x" * 300))
    assert stream.getvalue().count("\n") == 1


async def test_json_format_prints_the_documented_object() -> None:
    """The same object that webhooks get, one a line, on a terminal too."""
    stream = Terminal()
    channel = ConsoleChannel(stream, "json")
    await channel.send(an_intent())
    await channel.send(an_intent(cause=DEMO))
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["simulated"], second["simulated"]) == (False, True)
    assert first["text"] == an_intent().text


async def test_a_stream_that_knows_only_ascii_is_no_obstacle() -> None:
    """What cannot be shown is replaced, and the alert goes out."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert await ConsoleChannel(stream).send(an_intent()) == Delivered()
    assert b"1.08512 ? short ?" in raw.getvalue()


async def test_a_stream_that_is_gone_is_told() -> None:
    """An alert nobody could see does not count as delivered."""
    stream = io.StringIO()
    stream.close()
    assert isinstance(await ConsoleChannel(stream).send(an_intent()), Rejected)
