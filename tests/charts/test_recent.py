"""Collections that the same thing may be put into any number of times."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.charts.domain.recent import CandleRun, Recent
from services.charts.domain.shapes import ShownCandle


def candle(open_at: int, close: float = 1.0) -> ShownCandle:
    return ShownCandle(open_at, open_at + 60, 1.0, 2.0, 0.5, close, 0.0, closed=True)


def opens(run: CandleRun) -> list[int]:
    return [one.open_at for one in run.candles]


def test_candles_are_kept_in_order_of_their_windows() -> None:
    """A candle that comes late takes its place among the others."""
    run = CandleRun(10)
    for open_at in (60, 180, 120, 0):
        run.put(candle(open_at))
    assert opens(run) == [0, 60, 120, 180]


def test_known_candle_is_no_news() -> None:
    """Putting the same candle again changes nothing and says so."""
    run = CandleRun(10)
    assert run.put(candle(60)) is True
    assert run.put(candle(60)) is False
    assert opens(run) == [60]


def test_candle_that_differs_replaces_the_known_one() -> None:
    """After a partition went back to an earlier point, what the log says now counts."""
    run = CandleRun(10)
    run.put(candle(60, close=1.0))
    assert run.put(candle(60, close=1.5)) is True
    assert [one.close for one in run.candles] == [1.5]


def test_full_run_drops_its_oldest() -> None:
    """Only the newest candles are kept."""
    run = CandleRun(3)
    for open_at in (0, 60, 120, 180):
        run.put(candle(open_at))
    assert opens(run) == [60, 120, 180]


def test_what_a_full_run_has_dropped_is_no_news() -> None:
    """Reading a topic from its start again does not bring dropped candles back."""
    run = CandleRun(2)
    for open_at in (0, 60, 120):
        run.put(candle(open_at))
    assert run.put(candle(0)) is False
    assert opens(run) == [60, 120]


def test_page_before_a_time_ends_just_before_it() -> None:
    """``before`` is exclusive, and a page holds the newest candles that fit."""
    run = CandleRun(10)
    for open_at in (0, 60, 120, 180):
        run.put(candle(open_at))
    assert [one.open_at for one in run.before(180, 2)] == [60, 120]
    assert [one.open_at for one in run.before(None, 2)] == [120, 180]
    assert run.before(0, 2) == []


@given(
    opened=st.lists(st.integers(0, 30), unique=True, max_size=20),
    capacity=st.integers(1, 8),
    again=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_order_and_repetition_do_not_matter(
    opened: list[int], capacity: int, again: int, seed: int
) -> None:
    """Whatever the order and however often, the newest candles are kept, each once, in order."""
    run = CandleRun(capacity)
    coming = [at for at in opened for _ in range(again)]
    Random(seed).shuffle(coming)
    for at in coming:
        run.put(candle(at))
    assert opens(run) == sorted(opened)[-capacity:]


def test_things_are_kept_by_id_and_time() -> None:
    """Newest first, each id once, at the time it first had."""
    recent: Recent[str] = Recent(10)
    recent.put(2, "b", "two")
    recent.put(1, "a", "one")
    assert recent.put(2, "b", "two") is False
    assert recent.put(9, "a", "one again") is True
    assert recent.newest_first() == ["two", "one again"]


def test_thing_that_was_dropped_is_no_news() -> None:
    """An old alert that is read again is not announced again."""
    recent: Recent[str] = Recent(2)
    for at, ident in ((1, "a"), (2, "b"), (3, "c")):
        recent.put(at, ident, ident)
    assert recent.put(1, "a", "a") is False
    assert recent.newest_first() == ["c", "b"]
    assert recent.get("a") is None
