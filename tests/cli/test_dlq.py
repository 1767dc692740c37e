"""Dead letters and readers from the command line."""

import json
import re
from collections.abc import Iterator

import pytest
import redis

from shared.bus.keys import Keys
from shared.bus.poison import dead_letter
from shared.events.codec import Poison
from shared.events.control import ConfigRequested
from tests.cli.conftest import Tideline
from tests.cli.events import tick


@pytest.fixture
def log(
    server_url: str, keys: Keys, place: object, monkeypatch: pytest.MonkeyPatch
) -> Iterator["redis.Redis"]:
    """A client, of the server and namespace that the command line looks at."""
    assert place is not None
    monkeypatch.setenv("REDIS_URL", server_url)
    monkeypatch.setenv("TIDELINE_NAMESPACE", keys.namespace)
    monkeypatch.setenv("TIDELINE_PARTITIONS", str(keys.partitions))
    with redis.Redis.from_url(server_url, decode_responses=True) as client:
        yield client


def leave(log: "redis.Redis", keys: Keys, *, ms: int = 7) -> None:
    """A tick that candles stepped over and a request that the feed did, in partition 2."""
    request = ConfigRequested(
        symbol="*", at=1, pos=0, kind="rules", name="mine", version="2", body={}
    )
    letters = [
        dead_letter("candles", "tick", "5-0", Poison(tuple(map(str, tick().wire())), "broke")),
        dead_letter("feed", "inbox", "6-0", Poison(tuple(map(str, request.wire())), "refused")),
    ]
    for number, one in enumerate(letters):
        fields = [str(value) for value in one.wire()]
        pairs = dict(zip(fields[::2], fields[1::2], strict=True))
        log.xadd(keys.topic(2, "dead_letter"), pairs, id=f"{ms}-{number + 1}")  # type: ignore[arg-type]


def test_dead_letters_are_listed(tideline: Tideline, log: "redis.Redis", keys: Keys) -> None:
    """A line each, or those that are asked for."""
    leave(log, keys)
    assert tideline("dlq", "list")[:2] == (
        0,
        "2/7-1  candles  tick 5-0  EURUSD  broke\n2/7-2  feed  inbox 6-0  *  refused\n",
    )
    for option in (("--stage", "feed"), ("--topic", "inbox"), ("--reason", "fuse")):
        _, out, _ = tideline("dlq", "list", *option, "--json")
        assert [json.loads(line)["reference"] for line in out.splitlines()] == ["2/7-2"]
    assert tideline("dlq", "list", "--symbol", "DAX")[1] == ""


def test_a_dead_letter_is_shown_whole(tideline: Tideline, log: "redis.Redis", keys: Keys) -> None:
    """Where it stood, why it was stepped over, and its fields."""
    leave(log, keys)
    lines = tideline("dlq", "show", "2/7-1")[1].splitlines()
    assert lines[:4] == ["2/7-1", "  stage: candles", "  topic: tick", "  entry: 5-0"]
    assert "    symbol=EURUSD" in lines


def test_requeue_and_drop(tideline: Tideline, log: "redis.Redis", keys: Keys) -> None:
    """A request goes back; a tick does not, and says why; it can be dropped."""
    leave(log, keys)
    code, out, _ = tideline("dlq", "requeue", "2/7-2")
    assert code == 0
    assert re.fullmatch(r"2/7-2 is back in inbox as \d{13,}-\d+\n", out)
    code, _, err = tideline("dlq", "requeue", "2/7-1")
    assert (code, err) == (
        1,
        "tideline: 2/7-1 cannot be put back: tick has one order, and the other stages have decided "
        "on this entry already\n",
    )
    assert tideline("dlq", "drop", "2/7-1")[:2] == (0, "2/7-1 is dropped\n")
    assert tideline("dlq", "list")[1] == ""
    assert tideline("dlq", "drop", "2/7-1")[0] == 1


def test_readers_come_and_go_by_command(tideline: Tideline, log: "redis.Redis", keys: Keys) -> None:
    """Registered, listed, removed; twice is an error with the mend."""
    log.xadd(keys.topic(0, "tick"), {"a": "b"})
    assert tideline("readers", "add", "journal", "tick")[0] == 0
    assert tideline("readers", "add", "late", "tick", "--new")[0] == 0
    _, out, _ = tideline("readers", "list", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["reader"], row["behind"], row["lost"]) for row in rows] == [
        ("journal", 1, 0),
        ("late", 0, 0),
    ]
    assert tideline("readers", "list")[1].splitlines()[1].split() == [
        "journal", "tick", "1", "0", "0", "none"
    ]  # fmt: skip
    assert tideline("readers", "remove", "late", "tick")[0] == 0
    code, _, err = tideline("readers", "remove", "late", "tick")
    assert (code, err) == (
        1,
        "tideline: late is no reader of tick; see `tideline readers list`\n",
    )
    assert tideline("readers", "add", "signals", "tick")[0] == 1
    assert tideline("readers", "add", "journal", "ticks")[0] == 2
