"""What a person sees: progress and complaints on stderr, results on stdout.

Rich only on terminals, and without colours where NO_COLOR is set; everywhere else plain lines.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

_PLAIN_WIDTH = 4000
Update = Callable[[str], None]


class _Stream(Console):
    """A standard stream, whose reader may have gone."""

    def on_broken_pipe(self) -> None:
        """Say so once and drop the rest; Rich would end the process from wherever this is."""
        self.quiet = True
        # What is buffered must find a way out at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console for one of the standard streams, which never folds where that is no terminal."""
    stream = sys.stderr if stderr else sys.stdout
    return _Stream(
        stderr=stderr,
        highlight=False,
        markup=False,
        width=None if stream.isatty() else _PLAIN_WIDTH,
    )


class Terminal:
    """Both standard streams of one command."""

    def __init__(self) -> None:
        self._out = console()
        self._err = console(stderr=True)
        self._is_live = False

    @property
    def is_watched(self) -> bool:
        """Whether progress is shown to a person."""
        return self._err.is_terminal

    @property
    def has_colours(self) -> bool:
        """Whether results are shown in colour."""
        return self._out.is_terminal and not self._out.no_color

    def out(self, text: str | Text, style: str | None = None) -> None:
        """A line of the result."""
        # Two streams on one terminal: what moves on it must know of every line.
        shared = self._is_live and self._out.is_terminal
        (self._err if shared else self._out).print(text, style=style, soft_wrap=True)

    def alert(self, line: str) -> None:
        """A line of the result that may hold a terminal's colours."""
        self.out(Text.from_ansi(line) if self._out.is_terminal else line)

    def say(self, text: str, style: str | None = None) -> None:
        """A line about what is going on."""
        self._err.print(text, style=style, soft_wrap=True)

    @contextmanager
    def progress(self, text: str) -> Iterator[Update]:
        """Show that something is under way: a line that moves on a terminal, else the text once."""
        if not self.is_watched:
            self.say(text)
            yield lambda _: None
            return
        with self._err.status(text) as status:
            self._is_live = True
            try:
                yield status.update
            finally:
                self._is_live = False

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as they must be: the first to the left, the others to the right."""
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        for number, row in enumerate((heads, *rows)):
            first, *others = zip(row, widths, strict=True)
            cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
            self.out("  ".join(cells), style=None if number else "bold")


def write_json(value: Any) -> None:
    """A line of JSON on stdout, past every style."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


def without_colour() -> None:
    """As if NO_COLOR were set, for this process and what it starts."""
    os.environ["NO_COLOR"] = "1"
    os.environ.pop("FORCE_COLOR", None)
