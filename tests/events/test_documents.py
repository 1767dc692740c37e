"""The pages about events and consumers are true: tables complete, snippets executed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import redis

from shared.bus.keys import DEFAULT_NAMESPACE, Keys
from shared.bus.partitions import DEFAULT_PARTITIONS, partition_of, tags
from shared.events.codec import PUBLIC_EVENTS
from tests.events.entries import sample, samples

DOCS = Path(__file__).parents[2] / "docs"
EVENTS = (DOCS / "events.md").read_text("utf-8")
CONSUMERS = (DOCS / "consumers.md").read_text("utf-8")


def test_every_type_has_its_row_with_topic_and_id() -> None:
    """The ids shown are those of the entries that were written down by hand."""
    rows = {
        row[0]: row[1:] for row in re.findall(r"\| `(\w+)` \| (.+?) \| .+? \| (.+?) \|", EVENTS)
    }
    ids = {one.fields[1]: one.id for one in samples()}
    assert list(rows) == [model.TYPE for model in sorted(PUBLIC_EVENTS, key=_place)]
    for model in PUBLIC_EVENTS:
        topic, shown = rows[model.TYPE]
        assert topic == ("outputs of stages" if model.TOPIC == "*" else f"`{model.TOPIC}`")
        assert ids[model.TYPE].startswith(shown.split("`")[1])


def _place(model: type) -> int:
    return EVENTS.index(f"| `{model.TYPE}` |")  # type: ignore[attr-defined]


def test_the_tags_are_those_of_the_default_partitions() -> None:
    """And EURUSD is where the page says."""
    assert f"    {' '.join(tags(DEFAULT_PARTITIONS))}\n" in CONSUMERS
    partition = partition_of("EURUSD", DEFAULT_PARTITIONS)
    assert f"EURUSD is in partition {partition}." in CONSUMERS
    assert f"XREVRANGE '{Keys().topic(partition, 'tick')}'" in CONSUMERS


def test_the_entry_shown_is_a_recorded_one() -> None:
    """What redis-cli prints of it, field by field."""
    shown = CONSUMERS.partition("XREVRANGE")[2].partition("##")[0]
    assert tuple(re.findall(r'\d\) "(.*)"', shown)[1:]) == sample("tick.v1").fields


def test_the_foreign_reader_reads(server_url: str, keys: Keys) -> None:
    """The snippet for other languages runs as it stands, on a namespace of the test's own."""
    code = re.findall(r"```python\n(import .+?)```", CONSUMERS, re.DOTALL)[0]
    code = code.replace(f"{DEFAULT_NAMESPACE}:{{41}}", f"{keys.namespace}:{{41}}")
    with redis.Redis.from_url(server_url) as client:
        key = Keys(keys.namespace, DEFAULT_PARTITIONS).topic(11, "level_computed")
        client.execute_command("XADD", key, "*", *sample("watermark.v1").fields)
        client.execute_command("XADD", key, "*", *sample("level_computed.v1").fields)
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"REDIS_URL": server_url},
        check=True,
        capture_output=True,
        text=True,
    )
    assert run.stdout == "EURUSD 15m previous_day.high 1.0891\n"
