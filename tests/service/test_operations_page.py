"""docs/operations.md has every metric and every bound, as they are."""

from pathlib import Path

from shared.bus.retention import BOUNDS
from shared.telemetry.metrics import LABELS, METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")


def rows(head: str) -> list[str]:
    """The rows of the table under a head."""
    table = PAGE.split(f"{head}\n", 1)[1].splitlines()[1:]
    return table[: table.index("")]


def test_every_metric_is_documented() -> None:
    """With its labels and meaning, and none that there is no more."""
    assert rows("| metric | labels | meaning |") == [
        f"| `{name}` | {', '.join(LABELS[name])} | {meaning} |" for name, meaning in METRICS.items()
    ]


def test_every_bound_is_documented() -> None:
    """What is kept of each topic, and for whom more."""
    assert rows("| topic | entries | days | held for a reader |") == [
        f"| `{topic}` | {bounds.entries:,} | {bounds.age_s // 86_400} | {bounds.held:,} |"
        for topic, bounds in BOUNDS.items()
    ]
