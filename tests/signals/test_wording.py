"""Sentences: levels as people call them, and lengths of time."""

import pytest

from services.signals.domain.wording import duration, level_words


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("previous_day.high", "yesterday's high"),
        ("previous_week.low", "last week's low"),
        ("previous_month.close", "last month's close"),
        ("pivot.classic.pp", "pivot PP"),
        ("pivot.camarilla.r3", "Camarilla pivot R3"),
        ("swing.high", "15m swing high"),
        ("swing:5.low", "15m swing:5 low"),
        ("atr_stop.upper", "15m atr stop upper"),
        ("fvg.bearish", "15m bearish fair value gap"),
    ],
)
def test_levels_are_called_what_people_call_them(key: str, words: str) -> None:
    """Where a level is of a day or longer, its timeframe goes without saying."""
    assert level_words(key, "15m") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1.5, "1.5 s"),
        (59, "59 s"),
        (60, "1 min"),
        (82, "1 min"),
        (3570, "1 h"),
        (3900, "1 h 5 min"),
    ],
)
def test_durations_have_two_figures_at_most(seconds: float, words: str) -> None:
    """Exact numbers stand among the operands."""
    assert duration(seconds) == words
