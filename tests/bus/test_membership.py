"""Fair shares: even, agreed on by everybody, and calm when members come and go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.membership import share

members = st.lists(
    st.text("abcdefgh123", min_size=1, max_size=8), min_size=1, max_size=9, unique=True
)


@given(members, st.integers(1, 64))
def test_every_partition_has_one_owner_and_shares_differ_by_one_at_most(
    names: list[str], partitions: int
) -> None:
    """However many members and partitions there are."""
    shares = share(names, partitions)
    assert sorted(p for owned in shares.values() for p in owned) == list(range(partitions))
    sizes = [len(owned) for owned in shares.values()]
    assert max(sizes) - min(sizes) <= 1


@given(members, st.randoms(use_true_random=False))
def test_everybody_computes_the_same_shares(names: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    """The order in which a worker sees the members does not matter."""
    other = list(names)
    chance.shuffle(other)
    assert share(names, 16) == share(other, 16)


def test_nobody_owns_anything_without_members() -> None:
    """No members, no shares."""
    assert share([], 16) == {}


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_member_that_leaves_moves_few_other_partitions(count: int) -> None:
    """Beside the leaver's own partitions, at most half of the others' move."""
    names = [f"worker-{i}" for i in range(count)]
    before = {p: name for name, owned in share(names, 64).items() for p in owned}
    after = {p: name for name, owned in share(names[:-1], 64).items() for p in owned}
    stayed = [p for p in before if before[p] != names[-1]]
    moved = [p for p in stayed if before[p] != after[p]]
    assert len(moved) <= len(stayed) / 2
