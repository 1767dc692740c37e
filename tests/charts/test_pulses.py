"""How fresh a symbol's data are, as charts tell it."""

import asyncio
import json

import pytest

from services.charts.adapters.feeding import watch_data
from services.charts.app import build_hub
from services.charts.domain.pulses import data_status
from services.charts.settings import ChartsSection
from shared.bus.tasks import end
from shared.clock import SystemClock
from tests.charts.feed import FedReader
from tests.charts.made import closed

NOW = 1_795_270_000_000_000
SECOND = 1_000_000


def text(status: str, told_at: int = NOW) -> str:
    return json.dumps({"status": status, "told_at": told_at, "price_at": None})


@pytest.mark.parametrize("status", ["fresh", "late", "stale", "closed"])
def test_what_the_watch_shows_is_told(status: str) -> None:
    """As long as it shows it."""
    assert data_status(text(status), NOW + 10 * SECOND) == status


@pytest.mark.parametrize(
    ("status", "told"),
    [("fresh", "stale"), ("late", "stale"), ("stale", "stale"), ("closed", "closed")],
)
def test_a_watch_that_is_silent_is_not_believed(status: str, told: str) -> None:
    """Ingest is away: prices do not come, whatever was shown last. A closed market stays closed."""
    assert data_status(text(status), NOW + 11 * SECOND) == told


@pytest.mark.parametrize("broken", ["{", "[]", "{}", '{"status": "well", "told_at": 1}'])
def test_what_shows_no_freshness_is_refused(broken: str) -> None:
    """Named, with what it holds."""
    with pytest.raises(ValueError, match=r"shows no freshness|no status|Expecting"):
        data_status(broken, NOW)


async def test_symbols_tell_of_their_data() -> None:
    """The watch of charts follows what ingest shows; one that cannot be read changes no other."""
    clock = SystemClock()
    hub = build_hub(ChartsSection(), clock)
    hub.book.apply(closed(0))
    reader = FedReader(fresh={"EURUSD": text("stale", clock.now()), "DAX": "{"})
    task = asyncio.create_task(watch_data(reader, hub, clock))
    try:
        for _ in range(1_000):
            if hub.book.summary("EURUSD").data == "stale":
                break
            await asyncio.sleep(0.02)
    finally:
        await end([task])
    assert hub.book.summary("EURUSD").data == "stale"
