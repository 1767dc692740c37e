"""What a reader outside remembers of what it was handed."""

from shared.bus.handed import REWIND_MS, Handed
from shared.events.codec import Decoded
from shared.events.control import Watermark
from tests.bus.toys import tick

NOW_MS = 1_795_000_000_000


def written(ms: int, *positions: int) -> list[Decoded]:
    """Ticks of these positions, written in one millisecond."""
    return [(f"{ms}-{n}", tick(pos)) for n, pos in enumerate(positions)]


def handed_out(handed: Handed, found: list[Decoded]) -> list[str]:
    """What a reader gets of these entries."""
    fresh = handed.fresh(found)
    handed.add(fresh)
    return [entry for entry, _ in fresh]


def test_an_outage_does_not_forget_what_was_handed_out_before_it() -> None:
    """2 and 3 are taken back and written again after five minutes, in two portions."""
    handed = Handed()
    assert len(handed_out(handed, written(NOW_MS, 1, 2, 3))) == 3
    later = NOW_MS + 5 * REWIND_MS
    watermark = Watermark(symbol="*", at=2_000_000, pos=2)
    again: list[Decoded] = [*written(later, 2), (f"{later}-1", watermark)]
    assert handed_out(handed, again) == [f"{later}-1"]
    assert handed_out(handed, written(later + 1, 3, 4)) == [f"{later + 1}-1"]


def test_the_newest_ten_thousand_are_remembered() -> None:
    """A busy partition: 1,000 entries a second, for twenty seconds."""
    handed = Handed()
    stream = [one for pos in range(20_000) for one in written(NOW_MS + pos, pos)]
    for first in range(0, len(stream), 500):
        handed.add(stream[first : first + 500])
    assert handed.fresh(stream[10_000:]) == []
    assert handed.fresh(stream[:10_000]) == stream[:10_000]


def test_what_is_remembered_is_bounded() -> None:
    """A slow topic keeps some, for an outage; not all that it ever was."""
    handed = Handed()
    for pos in range(2_000):
        handed.add(written(NOW_MS + pos * REWIND_MS, pos))
    assert handed_out(handed, written(NOW_MS + 3_000 * REWIND_MS, 1_999)) == []
    assert len(handed_out(handed, written(NOW_MS + 3_001 * REWIND_MS, 1))) == 1
