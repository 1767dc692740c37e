"""What a close says of sessions: the one it belongs to, and at its end the next one."""

from shared.events import Close
from tests.ingest.lines import at, ticks, time, writer


def closes(*given: object) -> list[Close]:
    """The closes that follow from the items."""
    return [one for one in writer().process(list(given)) if isinstance(one, Close)]  # type: ignore[arg-type]


def test_every_close_tells_its_sessions_end() -> None:
    """EURUSD's Friday ends at 17:00 in New York, 21:00 UTC in summer."""
    items = [*ticks("2026-06-12 14:00:01 1.10"), time("2026-06-12 14:01:02")]
    (minute,) = closes(*items)
    assert minute.session_at == at("2026-06-11 21:00")
    assert minute.session_end_at == at("2026-06-12 21:00")
    assert minute.next_session_at is None
    assert minute.next_session_end_at is None


def test_the_last_close_of_a_session_tells_the_next_one() -> None:
    """After Friday's session comes Sunday evening's, so its first prices know when it ends."""
    items = [*ticks("2026-06-12 20:59:30 1.10"), time("2026-06-12 21:00:02")]
    last = closes(*items)[-1]
    assert last.windows[-1].timeframe == "1d"
    assert last.session_end_at == last.at
    assert last.next_session_at == at("2026-06-14 21:00")
    assert last.next_session_end_at == at("2026-06-15 21:00")


def test_a_restart_keeps_the_sessions_end() -> None:
    """A writer that goes on from saved state tells the same."""
    first = writer()
    first.process(ticks("2026-06-12 14:00:01 1.10"))
    again = writer(first.changes())
    found = again.process([time("2026-06-12 14:01:02")])
    (minute,) = [one for one in found if isinstance(one, Close)]
    assert minute.session_end_at == at("2026-06-12 21:00")
