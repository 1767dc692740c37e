"""tail and topics show what is on the log, of a given server or of the launcher at work."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import redis

from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.bus.topics import Topic
from shared.events import Event
from shared.events.control import Watermark
from tests.cli.conftest import Tideline
from tests.cli.events import signal as a_signal
from tests.cli.events import tick
from tests.cli.processes import started
from tideline.rundir import Running, note, run_dir


class Written:
    """A namespace to write to by hand."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self.client = client
        self.keys = keys

    def write(self, event: Event, ms: int) -> None:
        """Put an event on its topic, in its symbol's partition, at a given server time."""
        topic: Topic = event.TOPIC  # type: ignore[assignment]
        stream = self.keys.topic(partition_of(event.symbol, self.keys.partitions), topic)
        self.add(stream, ms, *event.wire())

    def add(self, stream: str, ms: int, *fields: object) -> None:
        """Put any entry on a stream."""
        cast(Any, self.client).execute_command("XADD", stream, f"{ms}-0", *fields)


@pytest.fixture
def written(
    server_url: str, keys: Keys, place: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Written]:
    """The namespace that the command line looks at."""
    assert place.is_dir()
    monkeypatch.setenv("REDIS_URL", server_url)
    monkeypatch.setenv("TIDELINE_NAMESPACE", keys.namespace)
    monkeypatch.setenv("TIDELINE_PARTITIONS", str(keys.partitions))
    with redis.Redis.from_url(server_url) as client:
        yield Written(client, keys)


def test_tail_merges_partitions_in_order_of_writing(tideline: Tideline, written: Written) -> None:
    """The newest entries of all partitions, the oldest of them first."""
    for ms, symbol in enumerate(["EURUSD", "DAX", "MES", "VIX", "NDX"], start=1):
        written.write(tick(symbol=symbol), ms)
    code, out, _ = tideline("tail", "tick", "-n", "3")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == ["MES", "VIX", "NDX"]


def test_tail_shows_one_symbol(tideline: Tideline, written: Written) -> None:
    """Others in its partition are left out, however many there are."""
    symbols = [f"S{n}" for n in range(200)]
    beside = [one for one in symbols if partition_of(one, 4) == partition_of("EURUSD", 4)]
    written.write(tick(), 1)
    for ms, symbol in enumerate(beside, start=2):
        written.write(tick(symbol=symbol), ms)
    code, out, _ = tideline("tail", "tick", "--symbol", "EURUSD")
    assert (code, out) == (
        0,
        "2026-11-20T09:15Z  EURUSD    tick             1.08512 x 3 from demo\n",
    )


def test_tail_prints_json(tideline: Tideline, written: Written) -> None:
    """One object a line, with the entry's id, the event's id and its fields."""
    written.write(a_signal(), 5)
    _, out, _ = tideline("tail", "signal_generated", "--json")
    found = json.loads(out)
    assert (found["entry"], found["type"], found["id"]) == (
        "5-0",
        "signal_generated",
        a_signal().id,
    )
    assert found["operands"] == {"price": 1.08512}


def test_tail_shows_what_cannot_be_read(tideline: Tideline, written: Written) -> None:
    """A foreign entry is named with the reason, and does not end the listing."""
    written.add(written.keys.topic(0, "tick"), 1, "hello", "world")
    written.add(written.keys.ops(), 1, "hello", "world")
    for topic in ("tick", "ops"):
        code, out, _ = tideline("tail", topic)
        assert code == 0
        assert out == "1-0  unreadable: not an event: the first two fields must be type and v\n"


def test_tail_of_nothing_prints_nothing(tideline: Tideline, written: Written) -> None:
    """An empty topic is no error."""
    assert written.keys.partitions == 4
    assert tideline("tail", "alert_fired") == (0, "", "")


def test_tail_leaves_watermarks_out(tideline: Tideline, written: Written) -> None:
    """They are most of what a quiet topic holds: what is asked for stands before them."""
    written.write(a_signal(), 1)
    stream = written.keys.topic(partition_of(a_signal().symbol, 4), "signal_generated")
    for ms in range(2, 2_500):
        written.add(stream, ms, *Watermark(symbol="*", at=ms, pos=ms).wire())
    code, out, _ = tideline("tail", "signal_generated", "-n", "2", "--json")
    assert (code, [json.loads(line)["id"] for line in out.splitlines()]) == (0, [a_signal().id])


def test_tail_says_that_there_is_nothing_of_a_symbol(tideline: Tideline, written: Written) -> None:
    """A name that was misspelt is not answered with silence."""
    written.write(tick(), 1)
    assert tideline("tail", "tick", "--symbol", "EURUDS") == (
        0,
        "",
        "nothing of EURUDS among the newest 20,000 entries of its partition; "
        "`tideline instruments EURUDS` says whether there is such a symbol\n",
    )


def test_tail_follows_until_ctrl_c(written: Written, place: Path) -> None:
    """What is written later appears at once; Ctrl-C ends it quietly with 130."""
    written.write(tick(n=0), 1)
    with started(place, "tail", "tick", "--follow", "--json") as tail:
        tail.said('"n":0')
        written.write(tick(n=1), 2)
        tail.said('"n":1')
        tail.process.send_signal(signal.SIGINT)
        assert (tail.ends(), tail.err) == (130, "")


def test_topics_shows_every_topic_and_stage(tideline: Tideline, written: Written) -> None:
    """Lengths, and how far each stage is behind."""
    for n in range(3):
        written.write(tick(n=n), n + 1)
    _, out, _ = tideline("topics", "--seconds", "0.1", "--json")
    found = json.loads(out)
    assert found["topics"]["tick"]["length"] == 3
    assert found["stages"]["candles"]["behind"] == 3
    assert found["stages"]["sender"]["behind"] == 0
    assert found["dead_letters"] == 0


def test_topics_prints_tables_that_grep(tideline: Tideline, written: Written) -> None:
    """A line a topic and a line a stage, columns two blanks or more apart."""
    written.write(tick(), 1)
    _, out, _ = tideline("topics", "--seconds", "0.1")
    rows = [re.split(r"  +", line.strip()) for line in out.splitlines()]
    assert ["topic", "entries", "rate", "newest"] in rows
    assert next(row for row in rows if row[0] == "tick")[1:3] == ["1", "0.0/s"]
    assert next(row for row in rows if row[0] == "signals")[1:3] == ["tick level_computed", "1"]


def test_topics_shows_what_was_done_in_each_partition(tideline: Tideline, written: Written) -> None:
    """Commits by reply, lease moves, waits and dead letters, as the workers alive tell them."""
    keys, symbol = written.keys, tick().symbol
    partition = partition_of(symbol, keys.partitions)
    told = {"commits": {"OK": 7, "DUP": 1}, "gained": 2, "lost": 1, "waits": 3, "dead": 4}
    key = keys.account("candles", "one")
    written.client.hset(key, str(partition), json.dumps(told))
    written.client.expire(key, 600)
    written.client.zadd(keys.members("candles"), {"one": 9e12})
    written.client.expire(keys.members("candles"), 600)
    written.write(tick(), 1)
    _, out, _ = tideline("topics", "--seconds", "0.1", "--partitions")
    rows = [re.split(r"  +", line.strip()) for line in out.splitlines()]
    last = ["7", "1", "0", "0", "+2 -1", "3", "4"]
    assert next(row for row in rows if row[:2] == ["candles", "tick"])[-7:] == last
    assert ["candles", str(partition), "1", "0 s", "0", *last] in rows
    _, out, _ = tideline("topics", "--seconds", "0.1", "--json")
    found = json.loads(out)["stages"]["candles"]
    assert (found["partitions"][partition]["done"], found["event_s"]) == (told, 0)


def test_the_launcher_at_work_is_found(
    tideline: Tideline,
    written: Written,
    server_url: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without REDIS_URL the running demo's server and namespace are looked at."""
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.delenv("TIDELINE_NAMESPACE")
    written.write(tick(), 1)
    with run_dir(place / "run") as path:
        here = Running(
            pid=os.getpid(),
            mode="demo",
            redis_url=server_url,
            namespace=written.keys.namespace,
            page="http://127.0.0.1:8000",
            started_at=1,
        )
        note(path, here)
        code, out, _ = tideline("tail", "tick")
    assert (code, out.count("\n")) == (0, 1)


def test_a_further_worker_has_what_the_launchers_services_have(
    tideline: Tideline, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same market and the same tables; another one would write other prices."""
    monkeypatch.setattr(os, "execv", lambda *_: None)
    for name in ("REDIS_URL", "TIDELINE_NAMESPACE", "TIDELINE_DATA_DIR", "TIDELINE_INGEST__FEED"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name in ("TIDELINE_INTERNAL_PORT", "TIDELINE_PUBLIC_PORT"):
        monkeypatch.setenv(name, "0")
    with run_dir(place / "run") as path:
        here = Running(
            pid=os.getpid(),
            mode="demo",
            redis_url="unix:///s",
            namespace="tideline",
            page="http://127.0.0.1:8000",
            started_at=1,
            environment={"TIDELINE_DATA_DIR": "/its/data", "TIDELINE_INGEST__FEED": "demo"},
        )
        note(path, here)
        code, _, err = tideline("run", "ingest")
    assert (code, err) == (0, f"joining the running `tideline demo` (pid {os.getpid()})\n")
    assert os.environ["REDIS_URL"] == "unix:///s"
    assert os.environ["TIDELINE_DATA_DIR"] == "/its/data"
    assert os.environ["TIDELINE_INGEST__FEED"] == "demo"
