"""Which symbols are watched: the union of wishes within the budget, and what counts without any."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.watching import (
    NOBODY,
    SWITCHED_OFF,
    Budget,
    Count,
    LeftOut,
    Plan,
    plan,
    plan_blindly,
)

BUDGET = Budget(3, ("DAX", "EURUSD"))


def no_problem(_: str) -> None:
    return None


def wanted(text: str) -> list[Count]:
    """``DAX 3, NDX 1``: how many users want each, in the order in which they began to."""
    pairs = [one.split() for one in text.split(",")]
    return [Count(symbol, int(users), since) for since, (symbol, users) in enumerate(pairs)]


def test_everything_wanted_is_watched_while_there_is_room() -> None:
    """Most watched first."""
    found = plan(wanted("NDX 1, DAX 3, VIX 2"), BUDGET, no_problem)
    assert found == Plan({"DAX": 3, "VIX": 2, "NDX": 1})
    assert found.symbols == ("DAX", "VIX", "NDX")


def test_the_most_watched_come_first_when_room_is_short() -> None:
    """Who is left out is shown, with the reason."""
    found = plan(wanted("NDX 1, DAX 3, VIX 2, DJI 5"), BUDGET, no_problem)
    assert found.symbols == ("DJI", "DAX", "VIX")
    reason = "more than 3 symbols are wanted, and this one less often"
    assert found.left_out == (LeftOut("NDX", 1, reason),)


def test_of_equals_the_earlier_stays() -> None:
    """A newcomer that is wanted just as often drives nobody out."""
    found = plan(wanted("NDX 1, VIX 1, DJI 1, DAX 1"), BUDGET, no_problem)
    assert found.symbols == ("NDX", "VIX", "DJI")


def test_what_cannot_be_watched_takes_no_room() -> None:
    """A contract that has ended, a symbol that nobody knows any more, one that was switched off."""
    counts = [*wanted("OLD 9, DAX 3, VIX 2, NDX 1"), Count("DJI", 7, 9, is_on=False)]

    def problem(symbol: str) -> str | None:
        return "ended" if symbol == "OLD" else None

    found = plan(counts, BUDGET, problem)
    assert found.symbols == ("DAX", "VIX", "NDX")
    assert found.left_out == (LeftOut("OLD", 9, "ended"), LeftOut("DJI", 7, SWITCHED_OFF))


def test_when_nobody_watches_anything_the_default_set_is_watched() -> None:
    """And it says so."""
    assert plan([], BUDGET, no_problem) == Plan({"DAX": 0, "EURUSD": 0}, (), NOBODY)


def test_what_was_watched_stays_watched_while_the_lists_cannot_be_read() -> None:
    """Behind the default set, as far as there is room; without any knowledge that set alone."""
    known = plan(wanted("NDX 3, DAX 2, VIX 1"), BUDGET, no_problem)
    blind = plan_blindly(known, BUDGET, no_problem, "gone")
    assert blind == Plan({"DAX": 2, "EURUSD": 0, "NDX": 3}, (), "gone")
    assert plan_blindly(None, BUDGET, no_problem, "gone").symbols == ("DAX", "EURUSD")


symbols = st.sampled_from([f"S{number}" for number in range(12)])
counts_of_symbols = st.dictionaries(
    symbols, st.tuples(st.integers(1, 5), st.integers(0, 5), st.booleans())
).map(lambda rows: [Count(symbol, *rest) for symbol, rest in rows.items()])


@settings(deadline=None)
@given(counts_of_symbols, st.integers(1, 15), st.randoms(use_true_random=False))
def test_a_plan_is_fair_whatever_the_order(
    counts: list[Count],
    room: int,
    chance: "st.randoms",  # type: ignore[valid-type]
) -> None:
    """Nobody is lost, nobody is over the budget, and nobody left out is wanted more often."""
    budget = Budget(room, ("DAX",))
    found = plan(counts, budget, no_problem)
    chance.shuffle(counts)  # type: ignore[attr-defined]
    assert plan(counts, budget, no_problem) == found
    assert len(found.symbols) <= room
    left = {one.symbol: one.watchers for one in found.left_out if one.reason != SWITCHED_OFF}
    off = {one.symbol for one in counts if not one.is_on}
    if found.fallback is None:
        assert {*found.symbols, *left} == {one.symbol for one in counts} - off
        assert max(left.values(), default=0) <= min(found.watchers.values())
