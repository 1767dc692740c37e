"""``tideline sql`` from the command line."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from tests.cli.conftest import Tideline
from tests.cli.events import tick
from tideline.commands.sql import place as archive_of
from tideline.rundir import Running, note, run_dir
from tideline.settings import LauncherSettings


@pytest.fixture
def written(
    server_url: str, keys: Keys, place: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A tick in the namespace that the command line looks at."""
    assert place.is_dir()
    monkeypatch.setenv("REDIS_URL", server_url)
    monkeypatch.setenv("TIDELINE_NAMESPACE", keys.namespace)
    monkeypatch.setenv("TIDELINE_PARTITIONS", str(keys.partitions))
    event = tick()
    fields = [str(value) for value in event.wire()]
    pairs = dict(zip(fields[::2], fields[1::2], strict=True))
    with redis.Redis.from_url(server_url) as client:
        stream = keys.topic(partition_of(event.symbol, keys.partitions), "tick")
        client.xadd(stream, pairs)
        yield


@pytest.mark.usefixtures("written")
def test_a_query_is_answered_from_the_log(tideline: Tideline) -> None:
    """Nothing is recorded yet: the log alone knows it. A line a row, or an object a row."""
    event = tick()
    code, out, _ = tideline("sql", "select symbol, type from tick")
    assert (code, [line.split() for line in out.splitlines()]) == (
        0,
        [["symbol", "type"], [event.symbol, "tick"]],
    )
    code, out, _ = tideline("sql", "--json", "select symbol, pos from tick")
    assert (code, json.loads(out)) == (0, {"symbol": event.symbol, "pos": event.pos})


@pytest.mark.usefixtures("written")
def test_only_what_is_stored_where_that_is_asked(tideline: Tideline) -> None:
    """The log is left alone."""
    assert tideline("sql", "--stored", "--json", "select count(*) as n from tick")[1] == '{"n":0}\n'


def test_without_a_server_the_archive_is_asked(tideline: Tideline) -> None:
    """And that is said."""
    code, out, told = tideline("sql", "--json", "select count(*) as n from candles")
    assert (code, out) == (0, '{"n":0}\n')
    assert told == "no tideline is running here: only what is on disk is asked\n"


def test_a_wrong_query_is_one_line(tideline: Tideline) -> None:
    """With what there is, and exit code 2."""
    code, _, told = tideline("sql", "--stored", "select * from quotes")
    assert code == 2
    assert told.startswith("tideline: relation 'quotes' was not found; there are candles, inbox")
    assert told.count("\n") == 1


def test_a_foreign_archive_is_one_line(
    tideline: Tideline, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named, and what can be done."""
    folder = place / "kept" / "tideline" / "topic=tick" / "month=2026-11"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    monkeypatch.setenv("TIDELINE_ARCHIVE_DIR", str(place / "kept"))
    code, _, told = tideline("sql", "--stored", "select * from tick")
    assert code == 1
    assert "notes.txt is no file of an archive; move it away" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({"TIDELINE_DATA_DIR": "/its/data"}, "/its/data/archive"),
        ({"TIDELINE_DATA_DIR": "/its/data", "TIDELINE_ARCHIVE_DIR": "/its/own"}, "/its/own"),
    ],
)
def test_the_archive_is_that_of_the_launcher_at_work(
    place: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], asked: str
) -> None:
    """Wherever it was started; a demo's own is asked even where another one is set."""
    if "TIDELINE_ARCHIVE_DIR" in environment:
        monkeypatch.setenv("TIDELINE_ARCHIVE_DIR", "/set")
    with run_dir(place / "run") as path:
        here = Running(
            pid=os.getpid(),
            mode="up",
            redis_url="unix:///s",
            namespace="tideline",
            page="http://127.0.0.1:8000",
            started_at=1,
            environment=environment,
        )
        note(path, here)
        assert archive_of(LauncherSettings.load()) == Path(asked)
