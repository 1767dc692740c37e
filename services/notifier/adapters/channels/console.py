"""The console channel: one line an alert, for eyes or for a pipe."""

import json
from typing import TextIO

from rich.console import Console
from rich.text import Text

from services.notifier.domain.delivery import Delivered, Outcome, Rejected
from services.notifier.domain.intents import AlertIntent
from services.notifier.domain.payload import payload
from services.notifier.settings import ConsoleFormat
from shared.events.signal import Direction

SIMULATED = "SIMULATED"
_COLOURS: dict[Direction, str] = {"long": "green", "short": "red"}


class ConsoleChannel:
    """Writes lines to a text stream: coloured on a terminal, plain elsewhere, JSON when told so.

    A line is written and flushed within ``send``, without waiting: a reader that stops reading
    its pipe stops the sender too once the pipe is full.
    """

    name = "console"

    def __init__(self, stream: TextIO, style: ConsoleFormat = "auto") -> None:
        self._stream = stream
        self._json = style == "json"
        console = Console(file=stream, highlight=False, soft_wrap=True)
        self._console = console if style == "auto" and console.is_terminal else None

    async def send(self, intent: AlertIntent) -> Outcome:
        try:
            self._write(intent)
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return Rejected(f"the console cannot be written to: {error}")
        return Delivered()

    async def close(self) -> None:
        """Nothing to give back: the stream belongs to the process."""

    def _write(self, intent: AlertIntent) -> None:
        if self._console is not None:
            self._console.print(coloured(intent))
        else:
            line = json.dumps(payload(intent), ensure_ascii=False) if self._json else plain(intent)
            encoding = self._stream.encoding or "utf-8"
            self._stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        self._stream.flush()


def plain(intent: AlertIntent) -> str:
    """``ALERT SIMULATED EURUSD touched yesterday's high ...``."""
    marks = ("ALERT", SIMULATED) if intent.simulated else ("ALERT",)
    return " ".join((*marks, intent.text))


def coloured(intent: AlertIntent) -> Text:
    """The same words; the mark in the direction's colour, what is simulated in reverse."""
    line = Text("ALERT", style=f"bold {_COLOURS[intent.direction]}")
    if intent.simulated:
        line.append(" ").append(f" {SIMULATED} ", style="reverse magenta")
    return line.append(" ").append(intent.text, style="default not bold")
