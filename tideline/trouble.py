"""Everything that can go wrong for a user, as one line that names the thing and the mend."""

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_settings import SettingsError as SourceError

from shared.bus.log import BusError
from shared.events.codec import first_reason
from shared.service.settings import SettingsError

FAILED = 1
MISUSED = 2
INTERRUPTED = 130


class Trouble(Exception):
    """Ends a command with one line. ``code`` is 1 for what failed, 2 for what was asked wrongly."""

    def __init__(self, line: str, code: int = FAILED) -> None:
        super().__init__(line)
        self.code = code


def told(error: BaseException) -> Trouble:
    """Any error as trouble; what nobody foresaw names the way to its traceback."""
    match error:
        case Trouble():
            return error
        case BusError():
            return Trouble(str(error))
        case ValidationError():
            return Trouble(_first_line(first_reason(error)), MISUSED)
        case SettingsError():
            return Trouble(str(error), MISUSED)
        case SourceError():
            return Trouble(_first_line(str(error)), MISUSED)
        case ModuleNotFoundError() if error.name is not None:
            return Trouble(f"this installation has no {error.name}, which that needs")
        case OSError() if error.filename is not None:
            return Trouble(f"{error.filename}: {error.strerror}")
        case _:
            what = f"{type(error).__name__}: {_first_line(str(error))}".rstrip(": ")
            return Trouble(f"{what} (LOG_LEVEL=debug shows the traceback)")


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")


def listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last
