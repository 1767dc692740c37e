"""Any error becomes one line."""

import pytest

from shared.bus.log import BusError
from shared.service.settings import SettingsError
from tideline.trouble import Trouble, listed, told


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (Trouble("no port", 2), "no port", 2),
        (BusError("no server"), "no server", 1),
        (SettingsError("unknown setting X"), "unknown setting X", 2),
        (PermissionError(13, "Permission denied", "/data"), "/data: Permission denied", 1),
        (
            ZeroDivisionError("division by zero"),
            "ZeroDivisionError: division by zero (LOG_LEVEL=debug shows the traceback)",
            1,
        ),
        (ValueError("first\nsecond"), "ValueError: first (LOG_LEVEL=debug shows the traceback)", 1),
        (
            ModuleNotFoundError("No module named 'polars'", name="polars"),
            "this installation has no polars, which that needs",
            1,
        ),
        (KeyError(), "KeyError (LOG_LEVEL=debug shows the traceback)", 1),
    ],
)
def test_every_error_is_one_line(error: Exception, line: str, code: int) -> None:
    """Known ones in their own words, unforeseen ones with the way to the traceback."""
    found = told(error)
    assert (str(found), found.code) == (line, code)


@pytest.mark.parametrize(
    ("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_people_do(names: list[str], text: str) -> None:
    """Commas, and an and before the last."""
    assert listed(names) == text
