"""How fast a channel may be used."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.domain.pacing import Pace


def sends(pace: Pace, start: float, until: float) -> list[float]:
    """When somebody who always has something to send gets to send it."""
    sent, now = [], start
    while now < until:
        wait = pace.take(now)
        if wait == 0:
            sent.append(now)
        now += wait
    return sent


def test_without_a_limit_nothing_waits() -> None:
    """No rate, no wait, however many."""
    pace = Pace()
    assert [pace.take(0.0) for _ in range(1000)] == [0.0] * 1000


def test_a_burst_goes_at_once_and_then_at_the_rate() -> None:
    """Two a second, three at once: three now, then one every half second."""
    assert sends(Pace(per_second=2, burst=3), start=10, until=12) == [10, 10, 10, 10.5, 11, 11.5]


def test_quiet_time_saves_no_more_than_a_burst() -> None:
    """An hour of silence allows three at once, not thousands."""
    pace = Pace(per_second=2, burst=3)
    sends(pace, start=0, until=1)
    assert sends(pace, start=3600, until=3600.4) == [3600, 3600, 3600]


def test_a_refused_take_takes_nothing() -> None:
    """Asking again and again makes nobody wait longer."""
    pace = Pace(per_second=1)
    assert pace.take(0) == 0
    assert [pace.take(0.25) for _ in range(5)] == [0.75] * 5
    assert pace.take(1) == 0


def test_after_a_hold_it_starts_gently() -> None:
    """Nothing before the held time, and no burst when it comes."""
    pace = Pace(per_second=2, burst=3)
    pace.hold(100)
    assert sends(pace, start=90, until=101) == [100, 100.5]


def test_a_hold_works_without_a_limit() -> None:
    """A channel without a rate still rests when the other side asks for it."""
    pace = Pace()
    pace.hold(5)
    assert pace.take(2) == 3
    assert pace.take(5) == 0


def test_a_hold_never_shortens_another() -> None:
    """The later of two ends counts."""
    pace = Pace()
    pace.hold(10)
    pace.hold(5)
    assert pace.take(0) == 10


@settings(deadline=None)
@given(
    per_second=st.integers(1, 20),
    burst=st.integers(1, 10),
    gaps=st.lists(st.floats(0, 2), max_size=60),
)
def test_no_window_holds_more_than_rate_and_burst(
    per_second: int, burst: int, gaps: list[float]
) -> None:
    """In any second there are at most a second's worth of sends and one burst."""
    pace, now, sent = Pace(per_second, burst), 0.0, []
    for gap in gaps:
        now += gap
        if pace.take(now) == 0:
            sent.append(now)
    for first in sent:
        within = [at for at in sent if first <= at < first + 1 - 1e-9]
        assert len(within) <= per_second + burst
