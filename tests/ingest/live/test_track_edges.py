"""One live symbol at the edges: times that are none, wishes that change, lives that begin again."""

from services.ingest.domain.asking import Given
from tests.ingest.lines import at
from tests.ingest.live.test_track import answered, given, track


def test_a_time_beyond_all_calendars_is_left_out() -> None:
    """Milliseconds where seconds belong: counted, and the symbol goes on."""
    one = track("14:10:00", "14:10")
    answered(one, "14:10:00", ())
    beyond = Given(1_000 * at("14:10"), 1.1, 1.2, 1.0, 1.15, 1.0)
    items = answered(one, "14:11:04", (*given("14:10"), beyond), market="14:11")
    assert items[-1] == "reached 14:11"
    assert not {"rejected"} & set(items)
