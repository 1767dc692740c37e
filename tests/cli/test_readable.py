"""Every event is a line that a person can read."""

import pytest

from shared.events.codec import Poison
from tests.cli.events import alert, level_computed, one_of_each, signal
from tideline.readable import essentials, line, number, unread

LINES = """\
2026-11-20T09:15Z  EURUSD    tick             1.08512 x 3 from demo
2026-11-20T09:15Z  EURUSD    close            closes 15m
2026-11-20T09:15Z  EURUSD    candle_in        15m o 1.0841 h 1.0852 l 1.084 c 1.08512 v 120 \
seed from file
2026-11-20T09:15Z  EURUSD    config           instrument EURUSD @1f
2026-11-20T09:15Z  EURUSD    source           prices from demo, 0 ms late
2026-11-20T09:15Z  EURUSD    gap              no prices since 2026-11-20T09:00Z: provider away
2026-11-20T09:15Z  *         heartbeat
2026-11-20T09:15Z  EURUSD    candle_closed    15m o 1.0841 h 1.0852 l 1.084 c 1.08512 v 120 \
42 ticks, live
2026-11-20T09:15Z  EURUSD    level_computed   15m close 1.08512; swing.0 1.08
2026-11-20T09:15Z  EURUSD    signal_generated touch short 1d previous_day.high@2026-11-19T22:00Z \
1.0851 at 1.08512: touched yesterday's high
2026-11-20T09:15Z  EURUSD    alert_intent     console is to tell: EURUSD touched
2026-11-20T09:15Z  EURUSD    alert_fired      console delivered after 1 attempt: \
EURUSD touched yesterday's high
2026-11-20T09:15Z  *         ops              data_stale ingest-1: no ticks
2026-11-20T09:15Z  *         watermark        everything up to 7 is written
2026-11-20T09:15Z  EURUSD    dead_letter      candles stepped over tick 5-0: negative price
"""


def test_every_event_is_one_line_with_its_essentials() -> None:
    """Time, symbol, type, and what matters of that type."""
    assert [line("1-0", event) for event in one_of_each()] == LINES.splitlines()


def test_what_cannot_be_read_is_told_with_its_entry() -> None:
    """An entry that is no event shows where it is and why."""
    assert line("12-3", Poison(("a", "b"), "unknown event type 'b'")) == (
        "12-3  unreadable: unknown event type 'b'"
    )


def test_what_another_service_alone_knows_is_told_field_by_field() -> None:
    """As it was written, behind the entry's id."""
    assert unread("12-3", ("type", "made_up", "v", "1")) == "12-3  type=made_up v=1"


def test_only_the_first_levels_are_spelled_out() -> None:
    """A candle with many levels still fits on a line."""
    assert essentials(level_computed(8)).endswith("swing.5 1.13 and 2 more")
    assert essentials(level_computed(0)) == "15m close 1.08512; no levels yet"


def test_a_failed_alert_says_why() -> None:
    """The last error stands beside the number of attempts."""
    failed = alert(signal(), status="failed", attempts=12, detail="HTTP 410")
    assert essentials(failed).startswith("console failed after 12 attempts, HTTP 410: ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (18250.0, "18250"),
        (1.0851, "1.0851"),
        (0.1 + 0.2, "0.3"),
        (0.0, "0"),
        (-0.5, "-0.5"),
        (1e-10, "1e-10"),
    ],
)
def test_numbers_carry_no_noise(value: float, text: str) -> None:
    """No trailing zeros, no rounding errors, and nothing shown as the zero it is not."""
    assert number(value) == text
