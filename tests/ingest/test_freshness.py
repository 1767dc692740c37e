"""Is the data alive: told from the calendar, the market's time and the symbol's own cadence.

DAX trades from 07:00Z to 15:30Z on Wednesday 2026-06-10. With no cadence known yet a price is late
after 60 s (20 s and four times 10 s) and stale after 180 s.
"""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.freshness import (
    UNKNOWN,
    Cadence,
    Look,
    Pulse,
    Rule,
    Turn,
    beat,
)
from services.ingest.domain.sessions import SessionCalendar
from tests.ingest.lines import TABLE, at, clock

SECOND = 1_000_000
RULE = Rule()


def calendar(symbol: str = "DAX") -> SessionCalendar:
    return SessionCalendar(TABLE.get(symbol).session)


class Watch:
    """One symbol under watch: looks at times of the day, and what was told of it."""

    def __init__(self, symbol: str = "DAX", since: str = "06:00", delay_s: int = 0) -> None:
        self.pulse = Pulse(awaited_since=at(since))
        self.told: list[str] = []
        self._calendar = calendar(symbol)
        self._delay = delay_s * SECOND

    def look(self, now: str, price: str | None = None) -> str:
        """The status at a time; the newest price is of ``price``, or the one before."""
        price_at = self.pulse.price_at if price is None else at(price)
        look = Look(at(now), price_at, self._delay)
        self.pulse, turns = beat(self.pulse, look, self._calendar, RULE)
        self.told += [told(turn) for turn in turns]
        return self.pulse.status


def told(turn: Turn) -> str:
    return turn.kind if turn.price_at is None else f"{turn.kind} {clock(turn.price_at)}"


def test_a_day_of_prices_that_stop_and_come_again() -> None:
    """
    06:59 closed | 07:00 opens | 07:01 first price | ... 12:00 prices stop | late | stale |
    12:30 they come again | 15:30 closed
    """
    watch = Watch()
    assert watch.look("06:59") == "closed"
    assert watch.look("07:00") == "fresh"
    assert watch.look("07:00:30", "07:00:29") == "fresh"
    assert watch.look("07:01:28") == "fresh"
    assert watch.look("07:01:29") == "late"
    assert watch.look("07:03:28") == "late"
    assert watch.look("07:03:29") == "stale"
    assert watch.look("07:10") == "stale"
    assert watch.look("07:10:01", "07:10:00") == "fresh"
    assert watch.look("15:29:59", "15:29:58") == "fresh"
    assert watch.look("15:30") == "closed"
    assert watch.look("23:00") == "closed"
    assert watch.told == [
        "first_entry 07:00:29",
        "data_stale 07:00:29",
        "data_fresh 07:10",
        "last_entry 15:29:58",
    ]


def test_a_symbol_that_never_came_is_stale_in_its_session_only() -> None:
    """Nothing at all is told as well, once its market has been open for long enough."""
    watch = Watch(since="2026-06-09 20:00")
    assert watch.look("06:59:59") == "closed"
    assert watch.look("07:00:59") == "fresh"
    assert watch.look("07:01") == "late"
    assert watch.look("07:03") == "stale"
    assert watch.look("15:30") == "closed"
    assert watch.told == ["data_stale"]


def test_what_is_awaited_since_a_start_is_not_overdue_at_once() -> None:
    """A service that starts in the middle of a session waits as long as after a price."""
    watch = Watch(since="12:00")
    assert watch.look("12:00:59", "09:00") == "fresh"
    assert watch.look("12:03") == "stale"


def test_a_late_source_is_judged_by_the_market_of_its_time() -> None:
    """Fifteen minutes late: the session opens and ends so much later, and ages are less."""
    watch = Watch(delay_s=900)
    assert watch.look("07:14:59") == "closed"
    assert watch.look("07:16", "07:00:59") == "fresh"
    assert watch.look("15:44:50", "15:29:49") == "fresh"
    assert watch.look("15:45:01") == "closed"
    assert watch.told == ["first_entry 07:00:59", "last_entry 15:29:49"]


def test_a_source_that_is_always_late_is_found_out() -> None:
    """Prices come a quarter of an hour late each: that is seen before they are called stale. A
    start that finds an old price alone takes that for no delay."""
    watch = Watch(since="08:00")
    watch.look("08:00", "07:44")
    assert watch.pulse.delay == 0
    for minute in range(10):
        watch.look(f"08:{minute + 1:02d}", f"07:{45 + minute}:50")
    assert watch.pulse.delay == 910 * SECOND
    assert watch.look("08:10:59") == "fresh"
    assert watch.look("15:44:59", "15:29:49") == "fresh"
    assert watch.look("15:45:10") == "closed"
    assert watch.told == ["first_entry 07:44", "last_entry 15:29:49"]


def test_a_price_of_the_day_before_opens_no_session() -> None:
    """Yesterday's last price, heard only now, is not today's first."""
    watch = Watch(since="2026-06-09 06:00")
    assert watch.look("07:00:05", "2026-06-09 15:29:59") == "fresh"
    assert watch.told == []
    watch.look("07:00:06", "07:00:05")
    assert watch.told == ["first_entry 07:00:05"]


def test_a_session_missed_while_nobody_looked_has_its_end_told() -> None:
    """The next look, a day later, tells the end that it finds, and then the new beginning."""
    watch = Watch()
    watch.look("07:05", "07:05")
    watch.look("2026-06-11 07:05", "2026-06-11 07:05")
    assert watch.told == ["first_entry 07:05", "last_entry 07:05", "first_entry 06-11 07:05"]


@pytest.mark.parametrize(
    ("cadence", "late_s", "stale_s"),
    [
        (UNKNOWN, 60, 180),
        (Cadence(SECOND, 0), 10, 60),
        (Cadence(60 * SECOND, 0), 60, 180),
        (Cadence(60 * SECOND, 15 * SECOND), 120, 360),
        (Cadence(3_600 * SECOND, 0), 3_600, 3_600),
        (Cadence(86_400 * SECOND, 0), 3_600, 3_600),
    ],
)
def test_limits_follow_the_cadence(cadence: Cadence, late_s: int, stale_s: int) -> None:
    """Interval and four deviations, at least 10 s; stale is three times that, 60 s to an hour."""
    limits = RULE.limits(cadence)
    assert (limits.late / SECOND, limits.stale / SECOND) == (late_s, stale_s)


def test_a_cadence_is_learnt_from_the_distances_of_prices() -> None:
    """20 s and 10 s, then a price after 28 s: 20 + 8/8, and 10 + (8 - 10)/4."""
    assert Cadence(20, 10).after(28) == Cadence(21, 9.5)


def test_a_quick_symbol_is_missed_sooner_than_a_slow_one() -> None:
    """After a while of a price a second a minute without one is stale."""
    watch = Watch()
    for second in range(60):
        assert watch.look(f"08:00:{second:02d}", f"08:00:{second:02d}") == "fresh"
    assert watch.look("08:01:09") == "late"
    assert watch.look("08:01:59") == "stale"


STEPS = st.lists(
    st.tuples(
        st.integers(0, 4 * 3_600),  # seconds to the next look
        st.one_of(st.none(), st.integers(0, 7_200)),  # the newest price's age then, if one came
    ),
    min_size=1,
    max_size=60,
)


@settings(deadline=None)
@given(STEPS, st.sampled_from(["DAX", "MES", "EURUSD", "NIFTY 50"]), st.integers(0, 1_200))
def test_whatever_comes_or_not_stale_is_told_inside_sessions_only(
    steps: list[tuple[int, int | None]], symbol: str, delay_s: int
) -> None:
    """Closed exactly while no session runs; what turns has turned before; sessions begin and end
    by turns."""
    sessions, now = calendar(symbol), at("2026-06-05 12:00")
    pulse, kinds = Pulse(awaited_since=now), []
    newest: int | None = None
    for wait_s, age_s in steps:
        now += wait_s * SECOND
        if age_s is not None:
            newest = max(newest or 0, now - age_s * SECOND)
        before, seen_at = pulse.status, now - max(pulse.delay, delay_s * SECOND)
        look = Look(now, newest, delay_s * SECOND)
        pulse, turns = beat(pulse, look, sessions, RULE)
        session = calendar(symbol).at(seen_at)
        assert (pulse.status == "closed") == (session is None)
        told_now = [turn.kind for turn in turns]
        assert told_now.count("data_stale") == int(pulse.status == "stale" != before)
        if "data_stale" in told_now:
            assert session is not None
        if "data_fresh" in told_now:
            assert before == "stale"
            assert pulse.status in ("fresh", "late")
        kinds += [kind for kind in told_now if kind in ("first_entry", "last_entry")]
    assert all(one != other for one, other in pairwise(["last_entry", *kinds]))


@settings(deadline=None)
@given(st.integers(1, 1_100), st.integers(1, 60))
def test_a_steady_symbol_never_turns_stale(interval_s: int, slack_s: int) -> None:
    """However far apart its prices are (up to 18 minutes), once that has been learnt."""
    sessions, start = calendar("EURUSD"), at("2026-06-08 22:00")
    pulse = Pulse(start, price_at=start, cadence=Cadence(interval_s * SECOND, slack_s * SECOND))
    for number in range(1, 40):
        newest = start + number * interval_s * SECOND
        almost = Look(newest - 1, newest - interval_s * SECOND)
        pulse, turns = beat(pulse, almost, sessions, RULE)
        assert pulse.status in ("fresh", "late")
        pulse, more = beat(pulse, Look(newest, newest), sessions, RULE)
        assert pulse.status == "fresh"
        assert not {"data_stale", "data_fresh"} & {turn.kind for turn in [*turns, *more]}


@settings(deadline=None)
@given(st.integers(1, 1_000))
def test_a_slow_symbol_is_learnt_within_a_few_prices(interval_s: int) -> None:
    """From nothing known: after twenty prices it is not called stale any more."""
    sessions, start = calendar("EURUSD"), at("2026-06-08 22:00")
    pulse = Pulse(start)
    for number in range(60):
        newest = start + number * interval_s * SECOND
        pulse, _ = beat(pulse, Look(newest, newest), sessions, RULE)
        pulse, turns = beat(pulse, Look(newest + interval_s * SECOND - 1, newest), sessions, RULE)
        if number > 20:
            assert [turn.kind for turn in turns if turn.kind == "data_stale"] == []
